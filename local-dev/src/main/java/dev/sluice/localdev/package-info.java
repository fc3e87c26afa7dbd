/** What {@code local-dev/up} runs: servers, functions, demo database and live writer, for as long as it lives. */
package dev.sluice.localdev;
