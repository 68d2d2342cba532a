#include "store/telemetry/hot_window.hpp"

#include "base/assert.hpp"
#include "base/varint.hpp"
#include "store/telemetry/chunk.hpp"
#include "store/telemetry/rules.hpp"

#include <algorithm>

namespace nw::store {
namespace {

// Small, because the last minutes are asked for most and older blocks are then passed over.
constexpr std::uint32_t kBlockRowsMax = 16;

// First byte of a row: what is as in the row before and so not repeated.
constexpr std::uint8_t kSameSource = 1;
constexpr std::uint8_t kSameAddress = 2;
constexpr std::uint8_t kSameCorrection = 4;
constexpr std::uint8_t kNoReason = 8;

std::int64_t difference(std::int64_t a, std::int64_t b) { return std::int64_t(std::uint64_t(a) - std::uint64_t(b)); }

char* put_bytes(char* at, std::string_view bytes) { return std::ranges::copy(bytes, put_varint(at, bytes.size())).out; }

}  // namespace

struct HotWindow::Source {
    Source(const nw::Rows& from, const std::vector<std::int64_t>& corrections, const Origin& of)
        : rows(from), correction_us(corrections), origin(of)
    {
        for (const auto& values : rows.columns)
            if (values.numbers.empty()) bytes.push_back(&values.bytes);
    }
    // Room that a row takes at most.
    std::size_t bytes_max(std::size_t row) const
    {
        auto most =
            2 + (8 + rows.columns.size()) * kVarintBytesMax + rows.address.at(row).size() + rows.reason.at(row).size();
        for (const auto* column : bytes) most += column->at(row).size();
        return most;
    }

    const nw::Rows& rows;
    const std::vector<std::int64_t>& correction_us;
    const Origin& origin;
    std::vector<const BytesColumn*> bytes{};  // the columns that are no integers
};

void HotWindow::put_row(std::string& out, const Source& source, std::size_t row, Tail& tail)
{
    const auto& rows = source.rows;
    const auto& origin = source.origin;
    const auto address = rows.address.at(row);
    const auto reason = rows.reason.at(row);
    const auto correction = source.correction_us[row];
    const bool same_source = origin.agent == tail.agent && origin.stream == tail.stream;
    const bool same_address = address == tail.address;
    const auto write = [&](char* at) {
        *at++ = char((same_source ? kSameSource : 0) | (same_address ? kSameAddress : 0)
                     | (correction == tail.correction_us ? kSameCorrection : 0) | (reason.empty() ? kNoReason : 0));
        *at++ = char(std::uint8_t(rows.outcome[row]) | std::uint8_t(rows.clock[row]) << 4);
        at = put_varint(at, zigzag(difference(rows.at_us[row], tail.at_us)));
        at = put_varint(at, zigzag(difference(std::int64_t(rows.seq[row]), std::int64_t(tail.seq))));
        at = put_varint(at, zigzag(difference(origin.received_us, rows.at_us[row])));
        if (!same_source) at = put_varint(put_varint(at, std::uint64_t(origin.agent)), std::uint64_t(origin.stream));
        if (!same_address) at = put_bytes(at, address);
        if (correction != tail.correction_us) at = put_varint(at, zigzag(correction));
        if (!reason.empty()) at = put_bytes(at, reason);
        // A column of integers has `numbers`, any other one `bytes`: the declaration need not be asked for each row.
        for (const auto& values : rows.columns) {
            if (values.numbers.empty()) at = put_bytes(at, values.bytes.at(row));
            else at = put_varint(at, values.numbers[row] == kAbsent ? 0 : zigzag(values.numbers[row]) + 1);
        }
        return at;
    };
    const auto before = out.size();
    out.resize_and_overwrite(before + source.bytes_max(row),
                             [&](char* begin, std::size_t) { return std::size_t(write(begin + before) - begin); });
    tail = {rows.at_us[row], rows.seq[row], origin.agent, origin.stream, correction, std::move(tail.address)};
    if (!same_address) tail.address = address;
}

// Reads the rows of blocks one after the other.
class HotWindow::Decoder {
public:
    explicit Decoder(const Kind& kind) : kind_(kind), numbers(kind.columns.size(), kAbsent), bytes(kind.columns.size()) {}

    void begin(std::string_view block)
    {
        at_ = block.data();
        end_ = at_ + block.size();
        tail = {};
    }
    void next()
    {
        NW_ASSERT(end_ - at_ > 2);
        const auto* at = at_;
        const auto flags = std::uint8_t(*at++);
        const auto packed = std::uint8_t(*at++);
        outcome = Outcome(packed & 0x0f);
        clock = ClockSource(packed >> 4);
        tail.at_us += unzigzag(take(at));
        tail.seq = std::uint64_t(std::int64_t(tail.seq) + unzigzag(take(at)));
        received_us = tail.at_us + unzigzag(take(at));
        if (!(flags & kSameSource)) {
            tail.agent = AgentId(take(at));
            tail.stream = StreamId(take(at));
        }
        if (!(flags & kSameAddress)) tail.address = take_bytes(at);
        if (!(flags & kSameCorrection)) tail.correction_us = unzigzag(take(at));
        reason = flags & kNoReason ? std::string_view() : take_bytes(at);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (kind_.columns[i].type != ColumnType::Integer) {
                bytes[i] = take_bytes(at);
                continue;
            }
            const auto value = take(at);
            numbers[i] = value == 0 ? kAbsent : unzigzag(value - 1);
        }
        at_ = at;
    }

    Position position() const { return {tail.at_us, std::uint64_t(tail.stream), tail.seq}; }

private:
    // The bytes are our own: what does not decode is a broken invariant.
    std::uint64_t take(const char*& at) const
    {
        std::uint64_t value = 0;
        NW_ASSERT(take_varint(at, end_, value));
        return value;
    }
    std::string_view take_bytes(const char*& at) const
    {
        const auto length = take(at);
        NW_ASSERT(length <= std::size_t(end_ - at));
        const std::string_view taken(at, length);
        at += length;
        return taken;
    }

    const Kind& kind_;
    const char* at_ = nullptr;
    const char* end_ = nullptr;

public:
    Tail tail{};
    std::int64_t received_us = 0;
    Outcome outcome = Outcome::Ok;
    ClockSource clock = ClockSource::None;
    std::string_view reason{};
    std::vector<std::int64_t> numbers;
    std::vector<std::string_view> bytes;
};

namespace {

// Room for `more` rows: columns would else grow one by one, many times over.
void reserve(StoredRows& rows, std::size_t more)
{
    const auto size = rows.size() + more;
    auto& inner = rows.rows;
    inner.seq.reserve(size);
    inner.probe.reserve(size);
    inner.at_us.reserve(size);
    inner.outcome.reserve(size);
    inner.clock.reserve(size);
    inner.address.ends.reserve(size);
    inner.reason.ends.reserve(size);
    for (std::size_t i = 0; i < inner.columns.size(); ++i) {
        if (inner.kind->columns[i].type == ColumnType::Integer) inner.columns[i].numbers.reserve(size);
        else inner.columns[i].bytes.ends.reserve(size);
    }
    rows.agent.reserve(size);
    rows.stream.reserve(size);
    rows.received_us.reserve(size);
    rows.correction_us.reserve(size);
}

}  // namespace

void HotWindow::take_rows(const Block& block, ProbeKey probe, TimeRange range, StoredRows& out)
{
    Decoder row(*probe.kind);
    row.begin(block.bytes);
    auto& rows = out.rows;
    for (std::uint32_t i = 0; i < block.rows; ++i) {
        row.next();
        if (row.tail.at_us < range.from_us || row.tail.at_us >= range.until_us) continue;
        rows.seq.push_back(row.tail.seq);
        rows.probe.push_back(probe.probe);
        rows.at_us.push_back(row.tail.at_us);
        rows.outcome.push_back(row.outcome);
        rows.clock.push_back(row.clock);
        rows.address.push(row.tail.address);
        rows.reason.push(row.reason);
        for (std::size_t c = 0; c < row.numbers.size(); ++c) {
            if (probe.kind->columns[c].type == ColumnType::Integer) rows.columns[c].numbers.push_back(row.numbers[c]);
            else rows.columns[c].bytes.push(row.bytes[c]);
        }
        out.agent.push_back(row.tail.agent);
        out.stream.push_back(row.tail.stream);
        out.received_us.push_back(row.received_us);
        out.correction_us.push_back(row.tail.correction_us);
    }
}

void HotWindow::append(const nw::Rows& rows, const std::vector<std::int64_t>& correction_us, const Origin& origin)
{
    const Source source{rows, correction_us, origin};
    std::uint64_t bytes = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) bytes += append_row(source, row);
    rows_ += rows.size();
    bytes_ += bytes;
}

std::size_t HotWindow::append_row(const Source& source, std::size_t row)
{
    const ProbeKey key{source.rows.probe[row], source.rows.kind};
    const auto at = source.rows.at_us[row];
    auto& to = shard(key);
    const std::lock_guard lock(to.mutex);
    auto& probe = to.probes[key];
    if (probe.blocks.empty() || probe.blocks.back().epoch != source.origin.epoch
        || probe.blocks.back().rows >= kBlockRowsMax) {
        if (!probe.blocks.empty()) probe.blocks.back().bytes.shrink_to_fit();
        probe.blocks.push_back({.epoch = source.origin.epoch, .min_us = at, .max_us = at});
        probe.tail = {};
    }
    auto& block = probe.blocks.back();
    const auto before = block.bytes.size();
    // A block that has begun is likely to become full: room for all of it at once instead of growing over and over.
    if (block.rows == 1) block.bytes.reserve(before * kBlockRowsMax + source.bytes_max(row));
    put_row(block.bytes, source, row, probe.tail);
    block.min_us = std::min(block.min_us, at);
    block.max_us = std::max(block.max_us, at);
    ++block.rows;
    ++probe.changes;
    const auto added = block.bytes.size() - before;
    const Position position{at, std::uint64_t(source.origin.stream), source.rows.seq[row]};
    if (probe.newest_at && position <= *probe.newest_at) return added;
    probe.newest_at = position;
    probe.newest.clear();
    return added;
}

std::vector<HotWindow::Rows> HotWindow::read(ProbeKey probe, TimeRange range) const
{
    std::vector<Block> blocks;
    {
        const auto& from = shard(probe);
        const std::lock_guard lock(from.mutex);
        const auto found = from.probes.find(probe);
        if (found == from.probes.end()) return {};
        for (const auto& block : found->second.blocks)
            if (block.max_us >= range.from_us && block.min_us < range.until_us) blocks.push_back(block);
    }
    std::vector<Rows> read;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const auto& block = blocks[i];
        if (read.empty() || read.back().epoch != block.epoch) {
            read.push_back({block.epoch, make_stored_rows(*probe.kind)});
            std::size_t rows = 0;
            for (auto j = i; j < blocks.size() && blocks[j].epoch == block.epoch; ++j) rows += blocks[j].rows;
            reserve(read.back().rows, rows);
        }
        take_rows(block, probe, range, read.back().rows);
    }
    return read;
}

// One pass over the blocks that have rows of the sum or the newest row.
LatestPtr HotWindow::make_latest(ProbeKey key, const Probe& probe, std::int64_t since_us, quality::Accumulator& scratch)
{
    auto latest = std::make_shared<Latest>();
    const auto& columns = key.kind->columns;
    Decoder row(*key.kind);
    const auto put_down_newest = [&] {
        latest->received_us = row.received_us;
        latest->sample = Sample{.probe = key.probe,
                                .kind = key.kind,
                                .at = from_us(row.tail.at_us),
                                .outcome = row.outcome,
                                .clock = row.clock,
                                .address = row.tail.address,
                                .reason = std::string(row.reason),
                                .numbers = row.numbers,
                                .bytes = {row.bytes.begin(), row.bytes.end()}};
    };
    if (!probe.newest.empty()) {
        row.begin(probe.newest);
        row.next();
        put_down_newest();
    }
    for (const auto& block : probe.blocks) {
        const bool has_newest = probe.newest.empty() && block.max_us == probe.newest_at->at_us;
        if (block.max_us < since_us && !has_newest) continue;
        row.begin(block.bytes);
        for (std::uint32_t i = 0; i < block.rows; ++i) {
            row.next();
            if (has_newest && row.position() == *probe.newest_at) put_down_newest();
            if (row.tail.at_us < since_us) continue;
            scratch.begin_run(row.tail.at_us, row.outcome);
            std::size_t histogram = 0;
            for (std::size_t c = 0; c < columns.size(); ++c) {
                if (columns[c].type == ColumnType::Integer) scratch.number(c, row.numbers[c]);
                else if (columns[c].type == ColumnType::Histogram) scratch.histogram(histogram++, row.bytes[c]);
            }
        }
    }
    latest->recent = scratch.take();
    return latest;
}

HotWindow::Newest HotWindow::newest(ProbeKey key, std::int64_t since_us, quality::Accumulator& scratch)
{
    auto& from = shard(key);
    const std::lock_guard lock(from.mutex);
    const auto found = from.probes.find(key);
    if (found == from.probes.end()) return {.latest = std::make_shared<Latest>(Latest{.recent = scratch.take()})};
    auto& probe = found->second;
    auto& answer = probe.answer;
    const auto still_holds = [&] {
        if (!answer.latest || answer.changes != probe.changes || answer.since_us > since_us) return false;
        return answer.latest->recent.empty() || answer.latest->recent.first_at_us >= since_us;
    };
    if (!still_holds())
        answer = {.changes = probe.changes, .since_us = since_us, .latest = make_latest(key, probe, since_us, scratch)};
    return {.latest = answer.latest, .disk_known = probe.disk_known};
}

void HotWindow::know_disk(ProbeKey key, const StoredRows& newest)
{
    auto& to = shard(key);
    const std::lock_guard lock(to.mutex);
    auto& probe = to.probes[key];
    probe.disk_known = true;
    if (newest.size() == 0 || (probe.newest_at && *probe.newest_at >= position_of(newest, 0))) return;
    probe.newest_at = position_of(newest, 0);
    probe.newest.clear();
    ++probe.changes;
    Tail nothing;
    const Origin origin{.agent = newest.agent[0], .stream = newest.stream[0], .received_us = newest.received_us[0]};
    put_row(probe.newest, {newest.rows, newest.correction_us, origin}, 0, nothing);
}

// Before `block` goes: keeps the newest row by itself when the block has it.
void HotWindow::keep_newest(ProbeKey key, Probe& probe, const Block& block)
{
    if (!probe.newest.empty() || !probe.newest_at || block.max_us != probe.newest_at->at_us) return;
    auto rows = make_stored_rows(*key.kind);
    take_rows(block, key, {block.max_us, block.max_us + 1}, rows);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (position_of(rows, row) != *probe.newest_at) continue;
        Tail nothing;
        const Origin origin{.agent = rows.agent[row], .stream = rows.stream[row], .received_us = rows.received_us[row]};
        put_row(probe.newest, {rows.rows, rows.correction_us, origin}, row, nothing);
    }
}

std::vector<ProbeKey> HotWindow::probes_in(Epochs epochs) const
{
    std::vector<ProbeKey> keys;
    for (const auto& each : shards_) {
        const std::lock_guard lock(each.mutex);
        for (const auto& [key, probe] : each.probes)
            if (std::ranges::any_of(probe.blocks, [&](const Block& block) { return epochs.contain(block.epoch); }))
                keys.push_back(key);
    }
    return keys;
}

std::vector<HotWindow::Rows> HotWindow::read_in(ProbeKey probe, Epochs epochs) const
{
    const auto& from = shard(probe);
    std::vector<Rows> read;
    for (std::size_t i = 0;; ++i) {
        const std::lock_guard lock(from.mutex);
        const auto found = from.probes.find(probe);
        if (found == from.probes.end()) return read;
        const auto& blocks = found->second.blocks;
        while (i < blocks.size() && !epochs.contain(blocks[i].epoch)) ++i;
        if (i >= blocks.size()) return read;
        if (read.empty() || read.back().epoch != blocks[i].epoch) {
            read.push_back({blocks[i].epoch, make_stored_rows(*probe.kind)});
            std::size_t rows = 0;
            for (auto j = i; j < blocks.size() && blocks[j].epoch == blocks[i].epoch; ++j) rows += blocks[j].rows;
            reserve(read.back().rows, rows);
        }
        take_rows(blocks[i], probe, {0, kTimeMaxUs + 1}, read.back().rows);
    }
}

std::int64_t HotWindow::newest_to_forget(std::uint64_t epoch, std::int64_t before_us) const
{
    auto newest = kAbsent;
    for (const auto& each : shards_) {
        const std::lock_guard lock(each.mutex);
        for (const auto& [key, probe] : each.probes)
            for (const auto& block : probe.blocks)
                if (block.epoch <= epoch && block.max_us < before_us) newest = std::max(newest, block.max_us);
    }
    return newest;
}

void HotWindow::forget(std::uint64_t epoch, std::int64_t before_us)
{
    for (auto& each : shards_) {
        const std::lock_guard lock(each.mutex);
        for (auto& [key, probe] : each.probes) {
            std::erase_if(probe.blocks, [&](const Block& block) {
                if (block.epoch > epoch || block.max_us >= before_us) return false;
                keep_newest(key, probe, block);
                ++probe.changes;
                rows_ -= block.rows;
                bytes_ -= block.bytes.size();
                return true;
            });
        }
    }
}

void HotWindow::remove(ProbeId probe)
{
    for (auto& each : shards_) {
        const std::lock_guard lock(each.mutex);
        std::erase_if(each.probes, [&](const auto& entry) {
            if (entry.first.probe != probe) return false;
            for (const auto& block : entry.second.blocks) {
                rows_ -= block.rows;
                bytes_ -= block.bytes.size();
            }
            return true;
        });
    }
}

}  // namespace nw::store
