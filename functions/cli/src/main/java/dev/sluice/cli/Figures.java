package dev.sluice.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Optional;

/** Numbers and times as people read them. */
final class Figures {

    private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    private Figures() {
    }

    /** Grouped: 1,234,567. */
    static String count(long number) {
        String digits = Long.toString(number);
        int first = number < 0 ? 1 : 0;
        var grouped = new StringBuilder(digits);
        for (int at = digits.length() - 3; at > first; at -= 3) {
            grouped.insert(at, ',');
        }
        return grouped.toString();
    }

    static String count(long number, String one, String many) {
        return count(number) + " " + (number == 1 ? one : many);
    }

    static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1_024 && unit < BYTE_UNITS.length - 1) {
            value /= 1_024;
            unit++;
        }
        return unit == 0 ? count(bytes) + " B" : oneDecimal(value) + " " + BYTE_UNITS[unit];
    }

    /** 12.3 below a hundred, else without a decimal. */
    static String oneDecimal(double value) {
        if (value >= 99.95) {
            return count(Math.round(value));
        }
        long tenths = Math.round(value * 10);
        return tenths / 10 + "." + tenths % 10;
    }

    /** Rounded down, so that 100 % is only what is complete. */
    static String percent(double percent) {
        return (int) Math.floor(percent) + " %";
    }

    /** The two largest units: 1 h 5 min, 3 min 20 s, 12 s, 0.4 s. */
    static String duration(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 10) {
            return oneDecimal(Math.max(0, duration.toMillis()) / 1_000.0) + " s";
        }
        if (seconds < 60) {
            return seconds + " s";
        }
        if (seconds < 3_600) {
            return seconds / 60 + " min " + seconds % 60 + " s";
        }
        if (seconds < 86_400) {
            return seconds / 3_600 + " h " + seconds / 60 % 60 + " min";
        }
        return count(seconds / 86_400) + " d " + seconds / 3_600 % 24 + " h";
    }

    /** The text as a time of the zone, to the second; as it is, if it is no time. */
    static String time(String text, ZoneId zone) {
        return instant(text).map(instant -> {
            ZonedDateTime time = instant.atZone(zone);
            return time.toLocalDate() + " " + clock(time);
        }).orElse(text);
    }

    static String clock(Instant instant, ZoneId zone) {
        return clock(instant.atZone(zone));
    }

    private static String clock(ZonedDateTime time) {
        return two(time.getHour()) + ":" + two(time.getMinute()) + ":" + two(time.getSecond());
    }

    private static String two(int number) {
        return number < 10 ? "0" + number : Integer.toString(number);
    }

    static Optional<Instant> instant(String text) {
        try {
            Instant instant = Instant.parse(text);
            // A year that no calendar shows is no time.
            return instant.isBefore(Instant.EPOCH) || instant.getEpochSecond() > 253_402_300_799L
                    ? Optional.empty()
                    : Optional.of(instant);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /** 90, 90s, 15m, 2h or 1d. */
    static Duration parse(String text) {
        char unit = text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
        int seconds = switch (unit) {
            case 's' -> 1;
            case 'm' -> 60;
            case 'h' -> 3_600;
            case 'd' -> 86_400;
            default -> 0;
        };
        String number = seconds == 0 ? text : text.substring(0, text.length() - 1);
        if (!number.matches("[0-9]{1,6}")) {
            throw Trouble.usage("«" + Harmless.text(text, 40) + "» is not a time: write 90s, 15m, 2h or 1d");
        }
        return Duration.ofSeconds(Long.parseLong(number) * Math.max(1, seconds));
    }
}
