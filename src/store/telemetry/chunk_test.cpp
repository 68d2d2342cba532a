#include "store/telemetry/chunk.hpp"

#include "model/kinds/ping.hpp"
#include "store/telemetry/column_codec.hpp"
#include "store/telemetry/crc32c.hpp"
#include "store/telemetry/rows_testing.hpp"

#include <doctest/doctest.h>

using namespace nw;
using namespace nw::store;
using namespace nw::store::testing_rows;

namespace {

constexpr std::array<ChildColumn, 3> kOddChildren{{
    {.name = "ttl"},
    {.name = "address", .type = ColumnType::Text, .unit = "ip"},
    {.name = "delay", .unit = "us"},
}};
constexpr std::array<Column, 6> kOddColumns{{
    {.name = "note", .type = ColumnType::Text, .rollup = Rollup::Last},
    {.name = "first", .type = ColumnType::Histogram, .rollup = Rollup::Merge},
    {.name = "gauge", .rollup = Rollup::Last, .hot = true},
    {.name = "second", .type = ColumnType::Histogram, .rollup = Rollup::Merge},
    {.name = "count", .rollup = Rollup::Sum},
    {.name = "hops", .type = ColumnType::Table, .children = kOddChildren},
}};
constexpr Kind kOdd{.number = 900, .name = "odd", .columns = kOddColumns};

ChunkView view_of(const Chunk& chunk) { return {chunk.rows, chunk.hot, chunk.rest, chunk.histograms}; }

}  // namespace

TEST_CASE("CRC-32C gives the check value of RFC 3720")
{
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c("") == 0);
    SeededRandom random(20);
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        CHECK(crc32c(bytes) == crc32c_by_tables(bytes));
        bytes += char(random.below(256));
    }
}

TEST_CASE("chunks of any kind give back exactly the rows that went in")
{
    SeededRandom random(21);
    Codec codec;
    for (int round = 0; round < 150; ++round) {
        const Kind& kind = round % 3 == 0 ? kOdd : kinds::ping;
        const auto count = std::uint32_t(round % 10 == 0 ? 1 + random.below(2'000) : 1 + random.below(90));
        const auto rows = random_chunk(random, kind, ProbeId(5), count, round % 2 == 0);
        const auto chunk = encode_chunk(codec, rows);
        CHECK(chunk.t0_us == rows.rows.at_us.front());
        CHECK(chunk.t1_us == rows.rows.at_us.back());
        auto back = make_stored_rows(kind);
        REQUIRE(decode_chunk(codec, kind, ProbeId(5), view_of(chunk), {}, back));
        CHECK(back == rows);
        REQUIRE(decode_chunk(codec, kind, ProbeId(5), view_of(chunk), {}, back));
        CHECK(back.size() == 2 * rows.size());
        CHECK(back.rows.reason.at(rows.size()) == rows.rows.reason.at(0));
    }
}

TEST_CASE("parts of a chunk come alone, the others absent")
{
    SeededRandom random(22);
    Codec codec;
    const auto& kind = kinds::ping;
    const auto rows = random_chunk(random, kind, ProbeId(5), 60);
    const auto chunk = encode_chunk(codec, rows);
    auto hot = make_stored_rows(kind);
    // Not even looked at.
    REQUIRE(decode_chunk(codec, kind, ProbeId(5), {chunk.rows, chunk.hot, "rubbish", "rubbish"},
                         {.rest = false, .histograms = false}, hot));
    CHECK(hot.rows.at_us == rows.rows.at_us);
    for (std::size_t i = 0; i < kind.columns.size(); ++i) {
        if (kind.columns[i].hot) CHECK(hot.rows.columns[i] == rows.rows.columns[i]);
        for (std::size_t row = 0; row < rows.size(); ++row) (void)sample_at(hot.rows, row);
    }
    CHECK_FALSE(parts_for(kind, {kind.metric("loss_ratio")}).rest);
    CHECK_FALSE(parts_for(kind, {kind.metric("rtt_mean")}).histograms);
    CHECK(parts_for(kind, {kind.metric("rtt_p95")}).histograms);
    CHECK(parts_for(kind, {kind.metric("rtt_deviation")}).rest);
    CHECK(parts_for(kind, {}).rest);
}

TEST_CASE("child rows are left in their frame when nobody asks for them")
{
    SeededRandom random(26);
    Codec codec;
    const auto rows = random_chunk(random, kOdd, ProbeId(5), 900);
    const auto chunk = encode_chunk(codec, rows);
    auto without = make_stored_rows(kOdd);
    REQUIRE(decode_chunk(codec, kOdd, ProbeId(5), view_of(chunk), {.tables = false}, without));
    CHECK(without.rows.columns[0] == rows.rows.columns[0]);
    CHECK(without.rows.columns[5].bytes.data.empty());
    CHECK(sample_at(without.rows, 899).bytes[5].empty());
    CHECK_FALSE(parts_for(kOdd, {kinds::ping.metric("loss_ratio")}).tables);
    const TimeRange middle{rows.rows.at_us[300], rows.rows.at_us[600]};
    auto some = make_stored_rows(kOdd);
    REQUIRE(decode_chunk(codec, kOdd, ProbeId(5), view_of(chunk), {.tables_of = middle}, some));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const bool wanted = rows.rows.at_us[row] >= middle.from_us && rows.rows.at_us[row] < middle.until_us;
        CHECK(sample_at(some.rows, row).bytes[5] == (wanted ? sample_at(rows.rows, row).bytes[5] : std::string()));
    }
}

TEST_CASE("chunks end early where runs have many child rows")
{
    auto rows = make_stored_rows(kOdd);
    ChildRows large;
    while (large.count < kChildRowsMax) add_row(large, kOddChildren);
    const auto bytes = encode_child_rows(kOddChildren, large);
    for (int i = 0; i < 300; ++i) {
        auto sample = make_sample(kOdd, ProbeId(5), from_us(i));
        sample.bytes[5] = bytes;
        append(rows.rows, std::uint64_t(i), sample);
    }
    const auto fit = chunk_rows(rows, 0);
    CHECK(fit * kChildRowsMax > kChunkChildRowsMax);
    CHECK((fit - 1) * kChildRowsMax <= kChunkChildRowsMax);
    CHECK(chunk_rows(rows, 299) == 1);
}

TEST_CASE("a damaged chunk is an error and leaves what was decoded before")
{
    SeededRandom random(23);
    Codec codec;
    const auto rows = random_chunk(random, kinds::ping, ProbeId(5), 40);
    const auto chunk = encode_chunk(codec, rows);
    auto out = make_stored_rows(kinds::ping);
    for (int round = 0; round < 500; ++round) {
        auto damaged = chunk;
        auto& frame = round % 3 == 0 ? damaged.hot : round % 3 == 1 ? damaged.rest : damaged.histograms;
        if (round % 2 == 0) frame[random.below(frame.size())] ^= char(1 + random.below(255));
        else frame.resize(random.below(frame.size()));
        const auto decoded = decode_chunk(codec, kinds::ping, ProbeId(5), view_of(damaged), {}, out);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().code == Errc::Corrupt);
    }
    auto wrong = view_of(chunk);
    wrong.rows = 41;
    CHECK_FALSE(decode_chunk(codec, kinds::ping, ProbeId(5), wrong, {}, out));
    CHECK(out.size() == 0);
}

// Behind a right checksum the sections are still not trusted: a program with a bug could have written them.
TEST_CASE("sections of random bytes are refused or decode to as many rows as asked for")
{
    SeededRandom random(24);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random.below(30), '\0');
        for (auto& c : bytes) c = char(random.below(random.below(2) == 0 ? 256 : 6));
        const auto rows = std::uint32_t(1 + random.below(20));
        std::vector<std::int64_t> numbers;
        if (decode_numbers(bytes, rows, numbers)) CHECK(numbers.size() == rows);
        BytesColumn strings;
        if (decode_strings(bytes, rows, 16, strings)) CHECK(strings.size() == rows);
        BytesColumn histograms;
        const std::string_view view = bytes;
        const auto cut = random.below(view.size() + 1);
        if (decode_histograms({view.substr(0, cut), view.substr(cut), view.substr(cut / 2), view}, rows, histograms))
            CHECK(histograms.size() == rows);
    }
}

TEST_CASE("some rows of a section are the same as those of the whole")
{
    SeededRandom random(27);
    for (int round = 0; round < 2'000; ++round) {
        const auto rows = std::uint32_t(1 + random.below(200));
        const auto begin = std::uint32_t(random.below(rows + 1));
        const RowSpan span{begin, begin + std::uint32_t(random.below(rows - begin + 1))};
        const std::uint64_t step = round % 3 == 0 ? 1 : 1ULL << random.below(40);
        std::vector<std::int64_t> numbers, some;
        BytesColumn strings, few;
        std::int64_t last = 0;
        for (std::uint32_t row = 0; row < rows; ++row) {
            last = round % 2 == 0 ? last + std::int64_t(random.below(step)) : std::int64_t(random.below(step));
            numbers.push_back(round % 5 == 0 && random.below(3) == 0 ? kAbsent : last);
            strings.push(std::string(random.below(3), 'r'));
        }
        REQUIRE(decode_numbers(encode_numbers(numbers), rows, span, some));
        REQUIRE(decode_strings(encode_strings(strings), rows, span, 16, few));
        CHECK(std::ranges::equal(some, std::span(numbers).subspan(span.begin, span.end - span.begin)));
        REQUIRE(few.size() == span.end - span.begin);
        for (auto row = span.begin; row < span.end; ++row) CHECK(few.at(row - span.begin) == strings.at(row));
    }
}

TEST_CASE("a day of pings takes the room it should")
{
    // Smooth data stand in for what the generator of the benchmark measures more exactly.
    SeededRandom random(25);
    Codec codec;
    auto rows = make_stored_rows(kinds::ping);
    auto at = std::int64_t(1'769'212'800'000'000);
    for (std::uint32_t i = 0; i < 1440; ++i) {
        auto sample = make_sample(kinds::ping, ProbeId(5), from_us(at += 60'000'000));
        for (auto& number : sample.numbers) number = std::int64_t(1000 + random.below(16));
        append(rows.rows, i * 20, sample);
        rows.agent.push_back(AgentId(1));
        rows.stream.push_back(StreamId(2));
        rows.received_us.push_back(at);
        rows.correction_us.push_back(0);
    }
    const auto chunk = encode_chunk(codec, rows);
    CHECK(chunk.hot.size() + chunk.rest.size() + chunk.histograms.size() < 1440 * 12);
}
