package dev.sluice.console.act;

import java.util.List;

/** All settings. */
public record SettingForms(List<SettingForm> settings) {}
