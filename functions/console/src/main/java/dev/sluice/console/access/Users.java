package dev.sluice.console.access;

import io.quarkus.runtime.configuration.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/** The users of a file. One that was changed into something that cannot be read leaves those that were there before. */
final class Users {

    private static final Logger LOG = Logger.getLogger(Users.class);
    private static final int USERS_MAX = 1_000;
    private static final int FILE_BYTES_MAX = 1024 * 1024;
    private static final Pattern LINE = Pattern.compile(
            "([A-Za-z0-9._@-]{1,100}):(viewer|operator):(\\$2[aby]\\$(?:0[4-9]|1[0-5])\\$[./A-Za-z0-9]{53})");

    private final Path file;
    private volatile Map<String, User> users;
    private FileTime readAt;

    /** @param hash by bcrypt */
    record User(String name, Role role, String hash) {}

    /** @throws ConfigurationException if the file is none of users; the message says which line, not what it has */
    Users(Path file) {
        this.file = file;
        try {
            readAt = Files.getLastModifiedTime(file);
            users = read(file);
        } catch (IOException e) {
            throw new ConfigurationException("sluice.console.users-file cannot be read: " + e, e);
        }
    }

    /** As the file has it now. */
    Optional<User> find(String name) {
        readAgain();
        return Optional.ofNullable(users.get(name));
    }

    private synchronized void readAgain() {
        try {
            FileTime changedAt = Files.getLastModifiedTime(file);
            if (!changedAt.equals(readAt)) {
                readAt = changedAt;
                users = read(file);
                LOG.infof("the users were read anew users=%d", users.size());
            }
        } catch (IOException | ConfigurationException e) {
            LOG.errorf("the users cannot be read anew, those from before stay: %s", e.getMessage());
        }
    }

    private static Map<String, User> read(Path file) throws IOException {
        if (Files.size(file) > FILE_BYTES_MAX) {
            throw new ConfigurationException("sluice.console.users-file has more than " + FILE_BYTES_MAX + " bytes");
        }
        warnIfOthersMayRead(file);
        Map<String, User> users = new LinkedHashMap<>();
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Matcher user = LINE.matcher(line);
            String where = "line " + (i + 1) + " of sluice.console.users-file";
            if (!user.matches()) {
                throw new ConfigurationException(where + " is not name:role:hash, with the role viewer or operator and a "
                        + "hash by bcrypt of cost 4 to 15: htpasswd -nBC 10 NAME makes one");
            }
            Role role = Role.valueOf(user.group(2).toUpperCase(Locale.ROOT));
            if (users.put(user.group(1), new User(user.group(1), role, user.group(3))) != null) {
                throw new ConfigurationException(where + " has a user that stands in another line already");
            }
        }
        if (users.isEmpty() || users.size() > USERS_MAX) {
            throw new ConfigurationException("sluice.console.users-file has " + users.size() + " users; it needs 1 to " + USERS_MAX);
        }
        return Map.copyOf(users);
    }

    private static void warnIfOthersMayRead(Path file) throws IOException {
        try {
            if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
                LOG.warn("everybody on this machine may read sluice.console.users-file: run chmod o-r on it");
            }
        } catch (UnsupportedOperationException e) {
            LOG.debug("this file system does not say who may read the file of users");
        }
    }
}
