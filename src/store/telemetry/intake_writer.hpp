// The one thread that writes the intake: takes what many sessions append, commits it in groups, puts the new rows into
// the hot window and answers. An answer means durable.
//
// Back-pressure instead of growth: when the queue, the hot window, the intake or the disk is full, submit() answers
// Unavailable at once, and nothing that was acknowledged before is touched.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "store/telemetry/hot_window.hpp"
#include "store/telemetry/intake.hpp"
#include "store/telemetry/rules.hpp"
#include "store/telemetry/telemetry.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace nw::store {

// One append or declared loss on its way through the writer. complete() is called once, on the writer's thread or
// from submit().
class Operation {
public:
    virtual ~Operation() = default;
    virtual void complete(Result<Appended> result) = 0;

    std::optional<AppendRequest> append{};
    std::optional<LostSpan> lost{};
    std::size_t bytes() const { return append ? append->bytes.size() + 64 : 128; }
};

struct WriterLimits {
    std::uint64_t pending_bytes_max = 0;
    std::uint64_t hot_bytes_max = 0;
    std::uint64_t intake_bytes_max = 0;
    std::uint64_t disk_free_min_bytes = 0;
};

class IntakeWriter {
public:
    // `on_lost` is told of declared losses once they are durable, `on_pressure` when maintenance should hurry.
    struct Hooks {
        std::function<void(const LostSpan&)> on_lost{};
        std::function<void()> on_pressure{};
    };

    IntakeWriter(std::filesystem::path dir, WriterLimits limits, HotWindow& hot, const Clock& clock, Hooks hooks, Log log);
    ~IntakeWriter();

    void start(std::unique_ptr<Intake> current, Watermarks watermarks);
    void submit(std::unique_ptr<Operation> operation);
    std::uint64_t watermark(const StreamKey& stream) const;

    // From now on epochs begin with `next`; gives back the intake that was current. Waits for the writer.
    Result<std::unique_ptr<Intake>> rotate(std::unique_ptr<Intake> next);
    // Intakes that failed and were replaced; their committed rows are to be sealed like those of any other.
    std::vector<std::unique_ptr<Intake>> take_failed();
    std::uint64_t next_epoch() { return ++last_epoch_; }
    std::filesystem::path intake_path(std::uint64_t epoch) const;
    // Answers what is queued, refuses everything after.
    void stop();

    // Bytes of batches in the current intake; those of sealed ones no longer count.
    std::uint64_t intake_bytes() const { return intake_bytes_; }
    std::uint64_t intake_batches() const { return intake_batches_; }
    std::uint64_t disk_free_bytes() const { return disk_free_bytes_; }
    void fill(TelemetryStats& stats) const;

private:
    using Group = std::vector<std::unique_ptr<Operation>>;
    struct Rotation {
        std::unique_ptr<Intake> next{};
        std::promise<Result<std::unique_ptr<Intake>>> done{};
    };
    // What the group makes of each operation, before it is durable.
    struct Decision {
        Admission admission{};
        std::optional<Error> error{};
    };

    void run();
    void commit(Group group);
    Result<std::vector<Decision>> write(Group& group, Watermarks& changed);
    Status write_one(Operation& operation, Decision& decision, Watermarks& changed);
    void answer(Operation& operation, const Decision& decision);
    std::vector<Rows> keep(AppendRequest request, const Admission& admission);
    void rotate_now(Rotation& rotation);
    Status replace_failed();
    const char* pressure();
    void look_at_disk();
    void refuse(Operation& operation, const std::string& why);

    std::filesystem::path dir_;
    WriterLimits limits_;
    HotWindow& hot_;
    const Clock& clock_;
    Hooks hooks_;
    Log log_;

    mutable std::mutex mutex_{};  // of the queue and the watermarks
    std::condition_variable wake_{};
    std::deque<std::unique_ptr<Operation>> queue_{};
    std::uint64_t pending_bytes_ = 0;
    std::unique_ptr<Rotation> rotation_{};
    bool stopping_ = false;
    Watermarks watermarks_{};
    std::vector<std::unique_ptr<Intake>> failed_{};

    std::unique_ptr<Intake> current_{};  // the writer's thread only
    bool broken_ = false;
    Instant disk_looked_at_{};
    std::atomic<std::uint64_t> last_epoch_{0};
    std::atomic<std::uint64_t> intake_bytes_{0};
    std::atomic<std::uint64_t> intake_batches_{0};
    std::atomic<std::uint64_t> disk_free_bytes_{UINT64_MAX};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<std::uint64_t> duplicates_{0};
    std::atomic<std::uint64_t> batches_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> commit_us_max_{0};
    std::atomic<std::uint64_t> lost_{0};
    std::thread thread_{};
};

}  // namespace nw::store
