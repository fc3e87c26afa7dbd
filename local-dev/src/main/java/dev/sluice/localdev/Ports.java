package dev.sluice.localdev;

import dev.sluice.testing.Servers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** Where everything listens, on 127.0.0.1. */
record Ports(int source, int destination, int kafka, int debezium, int functions) {

    /** The settings, all environment variables. 0 means any free port. */
    private enum Setting {
        SLUICE_SOURCE_PORT(5433, "the source database"),
        SLUICE_DESTINATION_PORT(5434, "the destination database"),
        SLUICE_KAFKA_PORT(9092, "Kafka"),
        SLUICE_CAPTURE_HTTP_PORT(8084, "/q/health of Debezium Server"),
        SLUICE_FUNCTIONS_HTTP_PORT(8080, "/q/health of the functions");

        private final int port;
        private final String of;

        Setting(int port, String of) {
            this.port = port;
            this.of = of;
        }
    }

    /**
     * Reads the settings and makes sure that all ports are free.
     *
     * @throws UsageException if one is no port, two are the same, or one is taken; the message names the settings
     */
    static Ports of(Map<String, String> environment) {
        return of(environment, Ports::isFree);
    }

    static Ports of(Map<String, String> environment, IntPredicate isFree) {
        Map<Setting, Integer> ports = new EnumMap<>(Setting.class);
        List<String> wrong = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            String text = environment.getOrDefault(setting.name(), "").strip();
            int port = text.isEmpty() ? setting.port : number(text);
            if (port < 0) {
                wrong.add(setting + " is «" + text + "»: give a port from 1 to 65535, or 0 for any free one");
            } else if (port > 0 && ports.containsValue(port)) {
                wrong.add(setting + " is " + port + ", which is the port of another setting, too");
            } else if (port > 0 && !isFree.test(port)) {
                wrong.add("port " + port + ", for " + setting.of + ", is taken: end what listens there, or choose another "
                        + "one with " + setting + "=<port> (0 for any free one)");
            }
            ports.put(setting, port);
        }
        if (!wrong.isEmpty()) {
            throw new UsageException(String.join("\n", wrong));
        }
        ports.replaceAll((setting, port) -> port == 0 ? freePortBeside(ports) : port);
        return new Ports(
                ports.get(Setting.SLUICE_SOURCE_PORT),
                ports.get(Setting.SLUICE_DESTINATION_PORT),
                ports.get(Setting.SLUICE_KAFKA_PORT),
                ports.get(Setting.SLUICE_CAPTURE_HTTP_PORT),
                ports.get(Setting.SLUICE_FUNCTIONS_HTTP_PORT));
    }

    private static int number(String text) {
        try {
            int port = Integer.parseInt(text);
            return port <= 65_535 ? port : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static int freePortBeside(Map<Setting, Integer> others) {
        int port = Servers.freePort();
        while (others.containsValue(port)) {
            port = Servers.freePort();
        }
        return port;
    }

    private static boolean isFree(int port) {
        try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
