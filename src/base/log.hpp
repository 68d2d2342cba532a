// Logging as a value passed along, like the clock: Log names the part that speaks and refers to a sink.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace nw {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };

class LogSink {
public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view part, std::string_view message) = 0;
};

class Log {
public:
    // A log that nobody reads.
    Log() = default;
    Log(std::shared_ptr<LogSink> sink, std::string part, LogLevel least = LogLevel::Info)
        : sink_(std::move(sink)), part_(std::move(part)), least_(least)
    {}

    Log named(std::string part) const { return {sink_, std::move(part), least_}; }
    bool enabled(LogLevel level) const { return sink_ && level >= least_; }

    template <class... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) const
    {
        if (enabled(LogLevel::Debug)) write(LogLevel::Debug, fmt::format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) const
    {
        if (enabled(LogLevel::Info)) write(LogLevel::Info, fmt::format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) const
    {
        if (enabled(LogLevel::Warn)) write(LogLevel::Warn, fmt::format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) const
    {
        if (enabled(LogLevel::Error)) write(LogLevel::Error, fmt::format(format, std::forward<Args>(args)...));
    }

private:
    void write(LogLevel level, std::string_view message) const { sink_->write(level, part_, message); }

    std::shared_ptr<LogSink> sink_{};
    std::string part_{};
    LogLevel least_ = LogLevel::Info;
};

// One line per message on standard error: "2026-01-24T14:00:00.123Z info  ingest: ...".
std::shared_ptr<LogSink> make_stderr_sink();

}  // namespace nw
