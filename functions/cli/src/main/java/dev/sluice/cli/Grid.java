package dev.sluice.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Rows of cells, each column as wide as its widest cell. A column that is empty in every row is left out. */
final class Grid {

    private final List<String> titles = new ArrayList<>();
    private final List<Boolean> rightAligned = new ArrayList<>();
    private final List<String[]> rows = new ArrayList<>();

    /** @param titles a title that begins with {@code >} heads a column of numbers, which stand at the right */
    Grid(String... titles) {
        for (String title : titles) {
            rightAligned.add(title.startsWith(">"));
            this.titles.add(title.startsWith(">") ? title.substring(1) : title);
        }
    }

    void row(String... cells) {
        if (cells.length != titles.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + titles);
        }
        rows.add(Arrays.stream(cells).map(Harmless::text).toArray(String[]::new));
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    List<String> lines() {
        int[] shown = IntStream.range(0, titles.size())
                .filter(column -> rows.stream().anyMatch(row -> !row[column].isEmpty()))
                .toArray();
        int[] widths = new int[titles.size()];
        for (int column : shown) {
            widths[column] = Math.max(
                    Columns.of(titles.get(column)),
                    rows.stream().mapToInt(row -> Columns.of(row[column])).max().orElse(0));
        }
        return Stream.concat(Stream.<String[]>of(titles.toArray(String[]::new)), rows.stream())
                .map(row -> Arrays.stream(shown)
                        .mapToObj(column -> rightAligned.get(column)
                                ? Columns.right(row[column], widths[column])
                                : Columns.left(row[column], widths[column]))
                        .collect(Collectors.joining("  "))
                        .stripTrailing())
                .toList();
    }
}
