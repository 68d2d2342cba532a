// What the measuring commands share: one loop with what an engine is made of, started for every target, ended by the
// user or when all is done, closed in order.
#pragma once

#include "arguments.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "probe/engine.hpp"
#include "probe/linux_devices.hpp"
#include "probe/policy.hpp"
#include "probe/resolver.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nw::cli {

// What became of a target, the worst last.
enum class TargetEnd : std::uint8_t { Answered, Unanswered, NotMeasured };
ExitCode exit_code(std::span<const TargetEnd> targets);

class Session {
public:
    // `command` names it in log lines.
    explicit Session(std::string_view command);

    Loop& loop() { return loop_; }
    Pool& pool() { return pool_; }
    const Clock& clock() const { return clock_; }
    probe::EngineContext context(probe::SampleSink sink, std::uint32_t packets_per_second_max);

    // Beside the measuring, until it ends.
    void beside(std::string_view name, Task<void> task) { tasks_.spawn(std::string(name), std::move(task)); }
    // Calls `start` with each target, and runs until finish() or a signal; `close` is awaited in any case.
    Status run(std::span<const std::string> targets,
               const std::function<Status(std::size_t index, const std::string& target)>& start,
               const std::function<Task<void>()>& close);
    void finish() { done_ = true; }
    bool finished() const { return done_; }

private:
    Task<void> close_all(Task<void> engine);

    Loop loop_{1};
    Pool pool_{4};
    SystemClock clock_{};
    SystemRandom random_{};
    probe::Resolver resolver_{loop_, pool_, clock_};
    probe::Policy policy_{};
    Log log_;
    probe::LinuxDevices devices_{loop_, log_};
    TaskGroup tasks_;
    bool done_ = false;
};

// The targets of a command, when its output is ready for many lines and for a reader who goes away.
Result<std::vector<std::string>> open_session(const std::vector<std::string>& named, const std::string& list);

}  // namespace nw::cli
