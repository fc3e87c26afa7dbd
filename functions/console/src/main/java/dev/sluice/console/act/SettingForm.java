package dev.sluice.console.act;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.Setting;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** A setting with all that is to be known to change it. */
@Schema(name = "Setting")
public record SettingForm(
        String name,
        String title,
        @Schema(description = "What it does, in one sentence.") String effect,
        @Schema(enumeration = {"integer", "boolean", "choice", "list"}) String type,
        @Schema(implementation = String.class) Optional<String> unit,
        @Schema(implementation = Integer.class, description = "The lowest value of an integer.") Optional<Integer> min,
        @Schema(implementation = Integer.class, description = "The highest value of an integer, or the most entries.")
                Optional<Integer> max,
        @Schema(implementation = String[].class) Optional<List<String>> choices,
        @JsonProperty("default")
                @Schema(name = "default", implementation = Object.class, description = "What holds while nobody changes it; left out if it is empty.")
                Optional<Object> defaultValue,
        @Schema(implementation = Object.class, description = "What holds now; left out if it is empty.")
                Optional<Object> value,
        @Schema(description = "Whether it was changed by a command.") boolean changed,
        @Schema(implementation = String.class, description = "What holds while it has no value.")
                Optional<String> whenEmpty,
        @Schema(description = "What a value must be, in words.") String bounds,
        @Schema(implementation = String.class, description = "The setting of the scheduler's process with its default.")
                Optional<String> configuredBy) {

    static SettingForm of(Setting setting, PipelineRecord pipeline) {
        return new SettingForm(
                setting.text(),
                setting.title(),
                setting.effect(),
                setting.type(),
                setting.unit(),
                setting.min().isPresent() ? Optional.of(setting.min().getAsInt()) : Optional.empty(),
                setting.max().isPresent() ? Optional.of(setting.max().getAsInt()) : Optional.empty(),
                setting.choices().isEmpty() ? Optional.empty() : Optional.of(setting.choices()),
                pipeline.defaults().value(setting).or(setting::builtIn),
                pipeline.settings().value(setting).or(() -> pipeline.defaults().value(setting)).or(setting::builtIn),
                pipeline.settings().value(setting).isPresent(),
                setting.whenEmpty(),
                setting.bounds(),
                setting.configuredBy());
    }
}
