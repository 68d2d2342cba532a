#include "store/telemetry/intake_writer.hpp"

#include "base/assert.hpp"
#include "store/telemetry/rules.hpp"

#include <fmt/format.h>

#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

namespace nw::store {
namespace {

// Commits take a few milliseconds whatever their size; beyond this they would take longer.
constexpr std::size_t kGroupOperationsMax = 1'024;
constexpr std::size_t kGroupBytesMax = 8 << 20;
constexpr Seconds kDiskLookInterval{1};

}  // namespace

IntakeWriter::IntakeWriter(std::filesystem::path dir, WriterLimits limits, HotWindow& hot, const Clock& clock, Hooks hooks,
                           Log log)
    : dir_(std::move(dir)), limits_(limits), hot_(hot), clock_(clock), hooks_(std::move(hooks)), log_(std::move(log))
{}

IntakeWriter::~IntakeWriter() { stop(); }

void IntakeWriter::start(std::unique_ptr<Intake> current, Watermarks watermarks)
{
    last_epoch_ = std::max<std::uint64_t>(last_epoch_, current->epoch());
    current_ = std::move(current);
    watermarks_ = std::move(watermarks);
    look_at_disk();
    thread_ = std::thread([this] { run(); });
}

std::filesystem::path IntakeWriter::intake_path(std::uint64_t epoch) const
{
    return dir_ / fmt::format("intake-{}.db", epoch);
}

void IntakeWriter::stop()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void IntakeWriter::refuse(Operation& operation, const std::string& why)
{
    ++refused_;
    operation.complete(fail(Errc::Unavailable, why));
}

const char* IntakeWriter::pressure()
{
    if (hot_.bytes() > limits_.hot_bytes_max) return "too many samples wait in memory for the disk";
    if (intake_bytes_ > limits_.intake_bytes_max) return "the intake is full";
    if (disk_free_bytes_ < limits_.disk_free_min_bytes) return "the disk is nearly full";
    return nullptr;
}

void IntakeWriter::submit(std::unique_ptr<Operation> operation)
{
    const char* why = operation->append ? pressure() : nullptr;
    if (why && hooks_.on_pressure) hooks_.on_pressure();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) why = "the store is closed";
        else if (pending_bytes_ > limits_.pending_bytes_max) why = "too many appends are waiting";
        if (!why) {
            pending_bytes_ += operation->bytes();
            queue_.push_back(std::move(operation));
        }
    }
    if (why) return refuse(*operation, why);
    wake_.notify_one();
}

std::uint64_t IntakeWriter::watermark(const StreamKey& stream) const
{
    const std::lock_guard lock(mutex_);
    const auto found = watermarks_.find(stream);
    return found == watermarks_.end() ? 0 : found->second;
}

void IntakeWriter::run()
{
    for (;;) {
        Group group;
        std::unique_ptr<Rotation> rotation;
        {
            std::unique_lock lock(mutex_);
            // The time limit keeps the free space known while nothing is appended.
            wake_.wait_for(lock, kDiskLookInterval, [&] { return stopping_ || rotation_ || !queue_.empty(); });
            if (stopping_ && queue_.empty() && !rotation_) return;
            std::size_t bytes = 0;
            while (!queue_.empty() && group.size() < kGroupOperationsMax && bytes < kGroupBytesMax) {
                bytes += queue_.front()->bytes();
                group.push_back(std::move(queue_.front()));
                queue_.pop_front();
            }
            pending_bytes_ -= bytes;
            rotation = std::move(rotation_);
        }
        look_at_disk();
        if (!group.empty()) commit(std::move(group));
        if (rotation) rotate_now(*rotation);
    }
}

void IntakeWriter::look_at_disk()
{
    const auto now = clock_.instant();
    if (disk_looked_at_ != Instant{} && now - disk_looked_at_ < kDiskLookInterval) return;
    disk_looked_at_ = now;
    struct statvfs found{};
    if (::statvfs(dir_.c_str(), &found) == 0) disk_free_bytes_ = std::uint64_t(found.f_bavail) * found.f_frsize;
}

void IntakeWriter::commit(Group group)
{
    if (auto ready = replace_failed(); !ready) {
        for (auto& operation : group) refuse(*operation, ready.error().what);
        return;
    }
    const auto begin = clock_.instant();
    Watermarks changed;
    auto decisions = write(group, changed);
    if (!decisions) {
        log_.error("intake: {}", decisions.error().what);
        current_->roll_back();
        broken_ = true;
        for (auto& operation : group) refuse(*operation, decisions.error().what);
        return;
    }
    const auto took = std::uint64_t(std::chrono::duration_cast<Micros>(clock_.instant() - begin).count());
    commit_us_max_ = std::max<std::uint64_t>(commit_us_max_, took);
    ++commits_;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [stream, watermark] : changed) watermarks_[stream] = watermark;
    }
    for (std::size_t i = 0; i < group.size(); ++i) answer(*group[i], (*decisions)[i]);
}

Result<std::vector<IntakeWriter::Decision>> IntakeWriter::write(Group& group, Watermarks& changed)
{
    std::vector<Decision> decisions(group.size());
    NW_CHECK(current_->begin());
    for (std::size_t i = 0; i < group.size(); ++i) NW_CHECK(write_one(*group[i], decisions[i], changed));
    for (const auto& [stream, watermark] : changed) NW_CHECK(current_->set_watermark(stream, watermark));
    NW_CHECK(current_->commit());
    return decisions;
}

Status IntakeWriter::write_one(Operation& operation, Decision& decision, Watermarks& changed)
{
    const auto& append = operation.append;
    const StreamKey stream =
        append ? StreamKey(append->agent, append->batch.stream) : StreamKey(operation.lost->agent, operation.lost->stream);
    const auto first = append ? append->batch.first_seq : operation.lost->first_seq;
    const auto last = append ? append->batch.last_seq() : operation.lost->last_seq;
    const auto pending = changed.find(stream);
    decision.admission = admit(pending != changed.end() ? pending->second : watermark(stream), first, last);
    if (decision.admission.nothing_new()) return {};
    changed[stream] = decision.admission.watermark;
    if (append) {
        intake_bytes_ += append->bytes.size();
        ++intake_batches_;
        return current_->add_batch(append->agent, append->received_at, decision.admission.after_seq, append->bytes);
    }
    operation.lost->first_seq = decision.admission.after_seq + 1;
    operation.lost->declared_us = to_us(clock_.wall());
    return current_->add_lost(*operation.lost);
}

void IntakeWriter::answer(Operation& operation, const Decision& decision)
{
    const auto& admission = decision.admission;
    Appended appended{.acked_seq = admission.watermark, .gap = admission.gap};
    if (operation.append && !admission.gap) {
        if (admission.nothing_new()) duplicates_ += operation.append->batch.count;
        else appended.new_rows = keep(*std::move(operation.append), admission);
    }
    if (operation.lost && !admission.nothing_new()) {
        lost_ += operation.lost->last_seq - operation.lost->first_seq + 1;
        if (hooks_.on_lost) hooks_.on_lost(*operation.lost);
    }
    operation.complete(std::move(appended));
}

std::vector<Rows> IntakeWriter::keep(AppendRequest request, const Admission& admission)
{
    ++batches_;
    const Origin origin{.agent = request.agent,
                        .stream = request.batch.stream,
                        .received_us = received_ms_us(request.received_at),
                        .epoch = current_->epoch()};
    auto taken = take_new_rows(std::move(request.batch), admission.after_seq, request.received_at);
    for (std::size_t i = 0; i < taken.kinds.size(); ++i) {
        hot_.append(taken.kinds[i], taken.correction_us[i], origin);
        rows_ += taken.kinds[i].size();
    }
    return std::move(taken.kinds);
}

// A commit that failed may or may not be on disk. Its batches were not acknowledged and will come again, with the same
// sequences: the file that may hold them gets no further rows, and what it holds beyond the watermarks of its successor
// is ignored on replay (docs/storage.md, "Crashes").
Status IntakeWriter::replace_failed()
{
    if (!broken_) return {};
    const auto epoch = next_epoch();
    auto next = Intake::create(intake_path(epoch), epoch);
    auto begun = next ? (*next)->begin_with(watermarks_) : std::unexpected(next.error());
    if (!begun) {
        next = nullptr;
        remove_intake(intake_path(epoch));
        return begun;
    }
    {
        const std::lock_guard lock(mutex_);
        failed_.push_back(std::exchange(current_, *std::move(next)));
    }
    broken_ = false;
    return {};
}

Result<std::unique_ptr<Intake>> IntakeWriter::rotate(std::unique_ptr<Intake> next)
{
    std::future<Result<std::unique_ptr<Intake>>> done;
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return fail(Errc::Unavailable, "the store is closed");
        NW_ASSERT(!rotation_);
        rotation_ = std::make_unique<Rotation>();
        rotation_->next = std::move(next);
        done = rotation_->done.get_future();
    }
    wake_.notify_one();
    return done.get();
}

void IntakeWriter::rotate_now(Rotation& rotation)
{
    if (auto begun = rotation.next->begin_with(watermarks_); !begun) {
        rotation.done.set_value(std::unexpected(std::move(begun).error()));
        return;
    }
    broken_ = false;
    intake_bytes_ = 0;
    intake_batches_ = 0;
    auto old = std::exchange(current_, std::move(rotation.next));
    rotation.done.set_value(std::move(old));
}

std::vector<std::unique_ptr<Intake>> IntakeWriter::take_failed()
{
    const std::lock_guard lock(mutex_);
    return std::move(failed_);
}

void IntakeWriter::fill(TelemetryStats& stats) const
{
    stats.rows_appended = rows_;
    stats.rows_duplicate = duplicates_;
    stats.batches_appended = batches_;
    stats.appends_refused = refused_;
    stats.commits = commits_;
    stats.commit_us_max = commit_us_max_;
    stats.intake_batches = intake_batches_;
    stats.intake_bytes = intake_bytes_;
    stats.lost_declared = lost_;
    stats.disk_free_bytes = disk_free_bytes_;
}

}  // namespace nw::store
