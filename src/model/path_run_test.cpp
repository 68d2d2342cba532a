#include "model/path_run.hpp"

#include "base/testing.hpp"
#include "base/varint.hpp"
#include "model/child_rows.hpp"
#include "model/kinds/path.hpp"

#include <array>

namespace nw {
namespace {

constexpr std::array<ChildColumn, 3> kDeclared{{
    {.name = "ttl"},
    {.name = "address", .type = ColumnType::Text, .unit = "ip"},
    {.name = "delay", .unit = "us"},
}};

ChildRows three_rows()
{
    ChildRows table;
    for (int i = 0; i < 3; ++i) {
        add_row(table, kDeclared);
        set(table, 0, std::int64_t{7});
        if (i != 1) set(table, 1, std::string(4, char('a' + i)));
        if (i == 2) set(table, 2, INT64_MAX);
    }
    return table;
}

std::string random_bytes(Random& random, std::size_t length)
{
    std::string bytes;
    while (bytes.size() < length) bytes += char(random.below(256));
    return bytes;
}

template <class T>
void maybe(Random& random, std::optional<T>& value, std::uint64_t max)
{
    if (random.below(2) == 0) value = T(random.below(max + 1));
}

std::string random_address(Random& random)
{
    return random_bytes(random, std::array<std::size_t, 3>{0, 4, 16}[random.below(3)]);
}

PathHop random_hop(Random& random)
{
    PathHop hop{.path = std::uint16_t(random.below(16)),
                .ttl = std::uint8_t(random.below(256)),
                .address = random_address(random),
                .name = random_bytes(random, random.below(20)),
                .answer = HopAnswer(random.below(5)),
                .icmp_type = std::uint8_t(random.below(256)),
                .icmp_code = std::uint8_t(random.below(256)),
                .sent = std::uint32_t(random.below(1000)),
                .received = std::uint32_t(random.below(3)),
                .verdict = HopVerdict(random.below(5)),
                .confidence = double(random.below(1001)) / 1e3,
                .forwarding_loss_ratio = double(random.below(1'000'001)) / 1e6};
    if (hop.received > 0) {
        hop.rtt_min_us = std::int64_t(random.below(1000));
        hop.rtt_max_us = hop.rtt_min_us + std::int64_t(random.below(1000));
        hop.rtt_sum_us = hop.rtt_max_us * hop.received;
        hop.rtt_sum_squares_us2 = hop.rtt_sum_us * hop.rtt_max_us;
        hop.ipdv_sum_us = 12;
        hop.ipdv_count = 2;
    }
    if (random.below(3) == 0) hop.limit_per_second = double(random.below(5000)) / 1e3;
    maybe(random, hop.mtu, 65'535);
    maybe(random, hop.reply_ttl, 255);
    maybe(random, hop.quoted_ttl, 255);
    maybe(random, hop.dscp, 63);
    maybe(random, hop.ecn, 3);
    maybe(random, hop.mss, 9000);
    hop.nat_source = random_address(random);
    hop.nat_destination = random_address(random);
    hop.nat_ports = random.below(2) == 0;
    for (auto n = random.below(4); n > 0; --n)
        hop.mpls.push_back({std::uint32_t(random.below(1 << 20)), std::uint8_t(random.below(8)), random.below(2) == 0,
                            std::uint8_t(random.below(256))});
    for (auto n = random.below(3); n > 0; --n) {
        HopInterface each{.role = std::uint8_t(random.below(4)), .address = random_address(random)};
        maybe(random, each.index, UINT32_MAX);
        maybe(random, each.mtu, 9000);
        each.name = random_bytes(random, random.below(30));
        hop.interfaces.push_back(each);
    }
    return hop;
}

}  // namespace

TEST_CASE("child rows come back as they were, and the same table is always the same bytes")
{
    const auto table = three_rows();
    const auto bytes = encode_child_rows(kDeclared, table);
    CHECK(child_row_count(bytes) == 3);
    const auto back = decode_child_rows(kDeclared, bytes);
    REQUIRE(back);
    CHECK(*back == table);
    CHECK(encode_child_rows(kDeclared, *back) == bytes);
    CHECK(encode_child_rows(kDeclared, ChildRows{}).empty());
    CHECK(decode_child_rows(kDeclared, "")->count == 0);
}

TEST_CASE("tables end to end are cut at any row")
{
    ChildRows all;
    const auto bytes = encode_child_rows(kDeclared, three_rows());
    for (int i = 0; i < 3; ++i) REQUIRE(append_child_rows(kDeclared, bytes, all));
    CHECK(all.count == 9);
    for (std::size_t i = 0; i < 3; ++i) CHECK(encode_child_rows(kDeclared, all, 3 * i, 3) == bytes);
}

TEST_CASE("columns that one side does not know are skipped or absent")
{
    const auto bytes = encode_child_rows(kDeclared, three_rows());
    const auto older = decode_child_rows(std::span(kDeclared).first(2), bytes);
    REQUIRE(older);
    CHECK(older->columns[1] == three_rows().columns[1]);
    const auto by_older = encode_child_rows(std::span(kDeclared).first(2), *older);
    const auto newer = decode_child_rows(kDeclared, by_older);
    REQUIRE(newer);
    CHECK(newer->columns[2].numbers == std::vector<std::int64_t>(3, kAbsent));
}

TEST_CASE("damaged child rows are an error and leave what was there")
{
    SeededRandom random(31);
    const auto good = encode_child_rows(kDeclared, three_rows());
    auto table = three_rows();
    for (int round = 0; round < 5000; ++round) {
        auto bytes = good;
        if (round % 2 == 0) bytes.resize(random.below(bytes.size() - 1) + 1);
        bytes[random.below(bytes.size())] ^= char(1 + random.below(255));
        auto out = table;
        if (append_child_rows(kDeclared, bytes, out)) {
            for (const auto& numbers : {out.columns[0].numbers, out.columns[2].numbers}) CHECK(numbers.size() == out.count);
            CHECK(out.columns[1].bytes.size() == out.count);
        } else CHECK(out == table);
    }
    std::string huge;
    put_varint(huge, kChildRowsMax + 1);
    CHECK_FALSE(decode_child_rows(kDeclared, huge + std::string("\3\0\0\0", 4)));
}

TEST_CASE("the hops of a run come back exactly, whatever routers call themselves")
{
    SeededRandom random(32);
    for (int round = 0; round < 300; ++round) {
        std::vector<PathHop> hops;
        for (auto n = random.below(20); n > 0; --n) hops.push_back(random_hop(random));
        const auto back = decode_hops(encode_hops(hops));
        REQUIRE(back);
        CHECK(*back == hops);
    }
}

TEST_CASE("a hop with a value out of range is named")
{
    const auto ttl = kHopColumns[1];
    REQUIRE(ttl.name == "ttl");
    ChildRows table;
    add_row(table, kHopColumns);
    set(table, 1, std::int64_t{256});
    const auto hops = decode_hops(encode_child_rows(kHopColumns, table));
    REQUIRE_FALSE(hops);
    CHECK(hops.error().what.find("\"ttl\"") != std::string::npos);
}

TEST_CASE("a run of few hops takes little room on its way")
{
    std::vector<PathHop> hops;
    for (std::uint8_t ttl = 1; ttl <= 12; ++ttl)
        hops.push_back({.ttl = ttl,
                        .address = std::string("\x0a\x00\x01", 3) + char(ttl),
                        .answer = HopAnswer::Exceeded,
                        .icmp_type = 11,
                        .sent = 10,
                        .received = 10,
                        .rtt_min_us = 1000,
                        .rtt_max_us = 1500,
                        .rtt_sum_us = 12'000,
                        .rtt_sum_squares_us2 = 15'000'000,
                        .ipdv_sum_us = 900,
                        .ipdv_count = 9,
                        .confidence = 1,
                        .reply_ttl = 64});
    CHECK(encode_hops(hops).size() < 12 * 40);
}

}  // namespace nw
