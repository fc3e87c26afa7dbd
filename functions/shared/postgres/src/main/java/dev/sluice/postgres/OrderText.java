package dev.sluice.postgres;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether an order, as {@link dev.sluice.domain.TableDefinition#order} writes it, still is what it was. Pure.
 *
 * <p>A label that an enumeration gets later does not change how the others are ordered: PostgreSQL puts it between two
 * of them and never moves one. A range that was cut before has the same rows as before, and those of the new label that
 * belong there; no snapshot of that time has seen any of those.
 */
final class OrderText {

    private static final String QUOTED = "\"(?:[^\"]++|\"\")*+\"";
    private static final Pattern LABEL = Pattern.compile(QUOTED + "|[a-z_][a-z0-9_]*+");
    /** A list of labels and nothing else, outside of a quoted name; or such a name. */
    private static final Pattern LIST = Pattern.compile(
            QUOTED + "|\\(((?:" + LABEL + ")(?:,(?:" + LABEL + "))*+)\\)");

    private final String frame;
    private final List<List<String>> lists;

    private OrderText(String frame, List<List<String>> lists) {
        this.frame = frame;
        this.lists = lists;
    }

    /** @return whether the second is the first, where enumerations may have got further labels */
    static boolean holds(String before, String now) {
        if (before.equals(now)) {
            return true;
        }
        OrderText then = of(before);
        OrderText today = of(now);
        if (!then.frame.equals(today.frame) || then.lists.size() != today.lists.size()) {
            return false;
        }
        for (int i = 0; i < then.lists.size(); i++) {
            if (!isPartInOrder(then.lists.get(i), today.lists.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static OrderText of(String text) {
        var frame = new StringBuilder();
        List<List<String>> lists = new ArrayList<>();
        Matcher matcher = LIST.matcher(text);
        while (matcher.find()) {
            if (matcher.group(1) == null) {
                matcher.appendReplacement(frame, Matcher.quoteReplacement(matcher.group()));
            } else {
                matcher.appendReplacement(frame, "()");
                lists.add(LABEL.matcher(matcher.group(1)).results().map(label -> label.group()).toList());
            }
        }
        matcher.appendTail(frame);
        return new OrderText(frame.toString(), lists);
    }

    private static boolean isPartInOrder(List<String> part, List<String> all) {
        Iterator<String> rest = all.iterator();
        return part.stream().allMatch(label -> {
            while (rest.hasNext()) {
                if (rest.next().equals(label)) {
                    return true;
                }
            }
            return false;
        });
    }
}
