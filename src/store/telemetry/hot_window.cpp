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

void put_bytes(std::string& out, std::string_view bytes)
{
    put_varint(out, bytes.size());
    out += bytes;
}

// The bytes are our own: what does not decode is a broken invariant.
std::uint64_t take(std::string_view& in)
{
    const auto value = take_varint(in);
    NW_ASSERT(value.has_value());
    return *value;
}

std::string_view take_bytes(std::string_view& in)
{
    const auto length = take(in);
    NW_ASSERT(length <= in.size());
    const auto bytes = in.substr(0, length);
    in.remove_prefix(length);
    return bytes;
}

}  // namespace

struct HotWindow::Source {
    const nw::Rows& rows;
    const std::vector<std::int64_t>& correction_us;
    const Origin& origin;
};

void HotWindow::put_row(std::string& out, const Source& source, std::size_t row, Tail& tail)
{
    const auto& rows = source.rows;
    const auto& origin = source.origin;
    const auto address = rows.address.at(row);
    const auto reason = rows.reason.at(row);
    const auto correction = source.correction_us[row];
    const bool same_source = origin.agent == tail.agent && origin.stream == tail.stream;
    out += char((same_source ? kSameSource : 0) | (address == tail.address ? kSameAddress : 0)
                | (correction == tail.correction_us ? kSameCorrection : 0) | (reason.empty() ? kNoReason : 0));
    out += char(std::uint8_t(rows.outcome[row]) | std::uint8_t(rows.clock[row]) << 4);
    put_varint(out, zigzag(difference(rows.at_us[row], tail.at_us)));
    put_varint(out, zigzag(difference(std::int64_t(rows.seq[row]), std::int64_t(tail.seq))));
    put_varint(out, zigzag(difference(origin.received_us, rows.at_us[row])));
    if (!same_source) {
        put_varint(out, std::uint64_t(origin.agent));
        put_varint(out, std::uint64_t(origin.stream));
    }
    if (address != tail.address) put_bytes(out, address);
    if (correction != tail.correction_us) put_varint(out, zigzag(correction));
    if (!reason.empty()) put_bytes(out, reason);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        if (rows.kind->columns[i].type != ColumnType::Integer) {
            put_bytes(out, rows.columns[i].bytes.at(row));
            continue;
        }
        const auto number = rows.columns[i].numbers[row];
        put_varint(out, number == kAbsent ? 0 : zigzag(number) + 1);
    }
    tail = {rows.at_us[row], rows.seq[row], origin.agent, origin.stream, correction, std::move(tail.address)};
    if (address != tail.address) tail.address = address;
}

// Reads the rows of blocks one after the other.
class HotWindow::Decoder {
public:
    explicit Decoder(const Kind& kind) : kind_(kind), numbers(kind.columns.size(), kAbsent), bytes(kind.columns.size()) {}

    void begin(std::string_view block)
    {
        in_ = block;
        tail = {};
    }
    void next()
    {
        const auto flags = std::uint8_t(in_[0]);
        const auto packed = std::uint8_t(in_[1]);
        in_.remove_prefix(2);
        outcome = Outcome(packed & 0x0f);
        clock = ClockSource(packed >> 4);
        tail.at_us += unzigzag(take(in_));
        tail.seq = std::uint64_t(std::int64_t(tail.seq) + unzigzag(take(in_)));
        received_us = tail.at_us + unzigzag(take(in_));
        if (!(flags & kSameSource)) {
            tail.agent = AgentId(take(in_));
            tail.stream = StreamId(take(in_));
        }
        if (!(flags & kSameAddress)) tail.address = take_bytes(in_);
        if (!(flags & kSameCorrection)) tail.correction_us = unzigzag(take(in_));
        reason = flags & kNoReason ? std::string_view() : take_bytes(in_);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (kind_.columns[i].type != ColumnType::Integer) {
                bytes[i] = take_bytes(in_);
                continue;
            }
            const auto value = take(in_);
            numbers[i] = value == 0 ? kAbsent : unzigzag(value - 1);
        }
    }

private:
    const Kind& kind_;
    std::string_view in_{};

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

void HotWindow::each(ProbeKey probe, TimeRange range, const std::function<void(const RowView&)>& use) const
{
    Decoder row(*probe.kind);
    const auto& from = shard(probe);
    const std::lock_guard lock(from.mutex);
    const auto found = from.probes.find(probe);
    if (found == from.probes.end()) return;
    for (const auto& block : found->second.blocks) {
        if (block.max_us < range.from_us || block.min_us >= range.until_us) continue;
        row.begin(block.bytes);
        for (std::uint32_t i = 0; i < block.rows; ++i) {
            row.next();
            if (row.tail.at_us >= range.from_us && row.tail.at_us < range.until_us)
                use({block.epoch, row.tail.at_us, row.outcome, row.numbers, row.bytes});
        }
    }
}

void HotWindow::append(const nw::Rows& rows, const std::vector<std::int64_t>& correction_us, const Origin& origin)
{
    const Source source{rows, correction_us, origin};
    for (std::size_t row = 0; row < rows.size(); ++row) append_row(source, row);
}

void HotWindow::append_row(const Source& source, std::size_t row)
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
    put_row(block.bytes, source, row, probe.tail);
    block.min_us = std::min(block.min_us, at);
    block.max_us = std::max(block.max_us, at);
    ++block.rows;
    ++rows_;
    bytes_ += block.bytes.size() - before;
    const auto stream = std::uint64_t(source.origin.stream);
    if (std::tuple(at, stream, source.rows.seq[row]) <= std::tuple(probe.newest_us, probe.newest_stream, probe.newest_seq))
        return;
    probe.newest_us = at;
    probe.newest_stream = stream;
    probe.newest_seq = source.rows.seq[row];
    probe.newest.clear();
    Tail nothing;
    put_row(probe.newest, source, row, nothing);
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

std::optional<HotWindow::Newest> HotWindow::newest(ProbeKey probe) const
{
    Decoder row(*probe.kind);
    const auto& from = shard(probe);
    const std::lock_guard lock(from.mutex);
    const auto found = from.probes.find(probe);
    if (found == from.probes.end() || found->second.newest.empty()) return std::nullopt;
    row.begin(found->second.newest);
    row.next();
    Newest newest{.sample = {.probe = probe.probe,
                             .kind = probe.kind,
                             .at = from_us(row.tail.at_us),
                             .outcome = row.outcome,
                             .clock = row.clock,
                             .address = row.tail.address,
                             .reason = std::string(row.reason),
                             .numbers = row.numbers},
                  .received_us = row.received_us};
    newest.sample.bytes.assign(row.bytes.begin(), row.bytes.end());
    return newest;
}

std::vector<ProbeKey> HotWindow::probes_through(std::uint64_t epoch) const
{
    std::vector<ProbeKey> keys;
    for (const auto& each : shards_) {
        const std::lock_guard lock(each.mutex);
        for (const auto& [key, probe] : each.probes)
            if (!probe.blocks.empty() && probe.blocks.front().epoch <= epoch) keys.push_back(key);
    }
    return keys;
}

std::vector<HotWindow::Rows> HotWindow::read_through(ProbeKey probe, std::uint64_t epoch) const
{
    auto all = read(probe, {0, kTimeMaxUs + 1});
    std::erase_if(all, [&](const Rows& rows) { return rows.epoch > epoch; });
    return all;
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
