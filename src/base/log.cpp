#include "base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace nw {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level)
{
    switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warn: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

class StderrSink final : public LogSink {
public:
    StderrSink() : logger_("nw", std::make_shared<spdlog::sinks::stderr_sink_mt>())
    {
        logger_.set_level(spdlog::level::debug);
        logger_.set_formatter(
            std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc));
        logger_.flush_on(spdlog::level::warn);
    }
    void write(LogLevel level, std::string_view part, std::string_view message) override
    {
        logger_.log(to_spdlog(level), "{}: {}", part, message);
    }

private:
    spdlog::logger logger_;
};

}  // namespace

std::shared_ptr<LogSink> make_stderr_sink() { return std::make_shared<StderrSink>(); }

}  // namespace nw
