#include "model/path_run.hpp"

#include "model/child_rows.hpp"
#include "model/ip_text.hpp"
#include "model/kinds/path.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nw {
namespace {

// Indices of kHopColumns.
enum Col : std::size_t {
    kPath,
    kTtl,
    kAddress,
    kName,
    kAnswer,
    kIcmpType,
    kIcmpCode,
    kSent,
    kReceived,
    kRttMin,
    kRttMax,
    kRttSum,
    kRttSquares,
    kIpdvSum,
    kIpdvCount,
    kVerdict,
    kConfidence,
    kForwardingLoss,
    kLimit,
    kMtu,
    kReplyTtl,
    kQuotedTtl,
    kDscp,
    kEcn,
    kMss,
    kNatSource,
    kNatDestination,
    kNatPorts,
    kMpls,
    kInterfaces,
    kCount
};
static_assert(kCount == kHopColumns.size() && kCount <= kChildColumnsMax);

auto corrupt(const std::string& what) { return fail(Errc::Corrupt, "hops: " + what); }

bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':'
           || c == '-';
}

std::string escaped(std::string_view name)
{
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : name.substr(0, kHopNameBytesMax)) {
        if (is_plain(c)) out += c;
        else out += {'%', kHex[std::uint8_t(c) >> 4], kHex[std::uint8_t(c) & 15]};
    }
    return out;
}

std::optional<std::string> unescaped(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        std::uint8_t byte = 0;
        if (i + 2 >= text.size()) return std::nullopt;
        const auto* end = text.data() + i + 3;
        if (const auto read = std::from_chars(text.data() + i + 1, end, byte, 16); read.ptr != end) return std::nullopt;
        out += char(byte);
        i += 2;
    }
    return out;
}

std::optional<std::string> address_bytes(std::string_view text)
{
    if (text.empty()) return std::string();
    return ip_bytes(text);
}

std::string or_empty(std::optional<std::uint32_t> number) { return number ? std::to_string(*number) : ""; }

// Calls `use` with the fields of each entry until it fails; false then, or when an entry has not `count` fields.
template <std::size_t count, class Use>
bool each_entry(std::string_view text, const Use& use)
{
    while (!text.empty()) {
        auto entry = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), entry.size() + 1));
        std::array<std::string_view, count> fields;
        for (std::size_t i = 0; i < count; ++i) {
            const auto cut = i + 1 < count ? entry.find('/') : entry.size();
            if (cut == entry.npos) return false;
            fields[i] = entry.substr(0, cut);
            entry.remove_prefix(std::min(entry.size(), cut + 1));
        }
        if (!use(fields)) return false;
    }
    return true;
}

template <class T>
bool read(std::string_view text, T& value, std::uint64_t max)
{
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    if (const auto done = std::from_chars(text.data(), end, number); done.ec != std::errc{} || done.ptr != end) return false;
    value = T(number);
    return number <= max;
}

bool read(std::string_view text, std::optional<std::uint32_t>& value)
{
    return text.empty() || read(text, value.emplace(), UINT32_MAX);
}

std::string mpls_text(const std::vector<MplsEntry>& stack)
{
    std::string out;
    for (const auto& entry : std::span(stack).first(std::min(stack.size(), kMplsEntriesMax)))
        out += (out.empty() ? "" : " ") + std::to_string(entry.label) + '/' + std::to_string(entry.traffic_class)
               + (entry.bottom ? "/1/" : "/0/") + std::to_string(entry.ttl);
    return out;
}

bool read_mpls(std::string_view text, std::vector<MplsEntry>& out)
{
    return each_entry<4>(text, [&](const auto& field) {
        MplsEntry entry;
        if (out.size() == kMplsEntriesMax || !read(field[0], entry.label, 0xfffff) || !read(field[1], entry.traffic_class, 7)
            || !read(field[2], entry.bottom, 1) || !read(field[3], entry.ttl, 255))
            return false;
        out.push_back(entry);
        return true;
    });
}

std::string interfaces_text(const std::vector<HopInterface>& interfaces)
{
    std::string out;
    for (const auto& each : std::span(interfaces).first(std::min(interfaces.size(), kHopInterfacesMax)))
        out += (out.empty() ? "" : " ") + std::to_string(each.role) + '/' + or_empty(each.index) + '/' + or_empty(each.mtu)
               + '/' + ip_text(each.address) + '/' + escaped(each.name);
    return out;
}

bool read_interfaces(std::string_view text, std::vector<HopInterface>& out)
{
    return each_entry<5>(text, [&](const auto& field) {
        HopInterface each;
        auto address = address_bytes(field[3]);
        auto name = unescaped(field[4]);
        if (out.size() == kHopInterfacesMax || !read(field[0], each.role, 3) || !read(field[1], each.index)
            || !read(field[2], each.mtu) || !address || !name || name->size() > kHopNameBytesMax)
            return false;
        each.address = std::move(*address);
        each.name = std::move(*name);
        out.push_back(std::move(each));
        return true;
    });
}

std::int64_t thousandths(double value) { return std::llround(value * 1e3); }

void put_statistics(ChildRows& table, const PathHop& hop)
{
    set(table, kSent, std::int64_t{hop.sent});
    set(table, kReceived, std::int64_t{hop.received});
    if (hop.received == 0) return;
    set(table, kRttMin, hop.rtt_min_us);
    set(table, kRttMax, hop.rtt_max_us);
    set(table, kRttSum, hop.rtt_sum_us);
    set(table, kRttSquares, hop.rtt_sum_squares_us2);
    set(table, kIpdvSum, hop.ipdv_sum_us);
    set(table, kIpdvCount, std::int64_t{hop.ipdv_count});
}

void put_quotation(ChildRows& table, const PathHop& hop)
{
    const auto put = [&](Col column, const auto& value) {
        if (value) set(table, column, std::int64_t(*value));
    };
    put(kReplyTtl, hop.reply_ttl);
    put(kQuotedTtl, hop.quoted_ttl);
    put(kDscp, hop.dscp);
    put(kEcn, hop.ecn);
    put(kMss, hop.mss);
    set(table, kNatSource, hop.nat_source);
    set(table, kNatDestination, hop.nat_destination);
    if (hop.nat_ports) set(table, kNatPorts, 1);
    set(table, kMpls, mpls_text(hop.mpls));
    set(table, kInterfaces, interfaces_text(hop.interfaces));
}

void put_hop(ChildRows& table, const PathHop& hop)
{
    add_row(table, kHopColumns);
    set(table, kPath, std::int64_t{hop.path});
    set(table, kTtl, std::int64_t{hop.ttl});
    set(table, kAddress, hop.address);
    set(table, kName, std::string_view(hop.name).substr(0, kHopNameBytesMax));
    set(table, kAnswer, std::int64_t(hop.answer));
    set(table, kIcmpType, std::int64_t{hop.icmp_type});
    set(table, kIcmpCode, std::int64_t{hop.icmp_code});
    set(table, kVerdict, std::int64_t(hop.verdict));
    set(table, kConfidence, thousandths(hop.confidence));
    set(table, kForwardingLoss, std::llround(hop.forwarding_loss_ratio * 1e6));
    if (hop.limit_per_second) set(table, kLimit, thousandths(*hop.limit_per_second));
    if (hop.mtu) set(table, kMtu, std::int64_t{*hop.mtu});
    put_statistics(table, hop);
    put_quotation(table, hop);
}

// Takes the values of one row and remembers the first that is out of range.
class Reader {
public:
    Reader(const ChildRows& table, std::size_t row) : table_(table), row_(row) {}

    template <class T>
    void number(Col column, T& to, std::int64_t max, std::int64_t absent = 0)
    {
        const auto value = table_.columns[column].numbers[row_];
        if (value != kAbsent && (value < 0 || value > max)) return note(column);
        to = T(value == kAbsent ? absent : value);
    }
    template <class T>
    void maybe(Col column, std::optional<T>& to, std::int64_t max)
    {
        if (table_.columns[column].numbers[row_] != kAbsent) number(column, to.emplace(), max);
    }
    void scaled(Col column, double& to, double scale)
    {
        std::int64_t value = 0;
        number(column, value, std::int64_t{1} << 52);
        to = double(value) / scale;
    }
    void address(Col column, std::string& to)
    {
        const auto bytes = text(column);
        if (!bytes.empty() && bytes.size() != 4 && bytes.size() != 16) return note(column);
        to = bytes;
    }
    std::string_view text(Col column) const { return table_.columns[column].bytes.at(row_); }
    void note(Col column)
    {
        if (wrong_.empty()) wrong_ = kHopColumns[column].name;
    }
    Status done() const { return wrong_.empty() ? Status{} : corrupt("\"" + std::string(wrong_) + "\" is out of range"); }

private:
    const ChildRows& table_;
    std::size_t row_;
    std::string_view wrong_{};
};

void take_statistics(Reader& from, PathHop& hop)
{
    from.number(kSent, hop.sent, UINT32_MAX);
    from.number(kReceived, hop.received, UINT32_MAX);
    from.number(kRttMin, hop.rtt_min_us, INT64_MAX, kAbsent);
    from.number(kRttMax, hop.rtt_max_us, INT64_MAX, kAbsent);
    from.number(kRttSum, hop.rtt_sum_us, INT64_MAX);
    from.number(kRttSquares, hop.rtt_sum_squares_us2, INT64_MAX);
    from.number(kIpdvSum, hop.ipdv_sum_us, INT64_MAX);
    from.number(kIpdvCount, hop.ipdv_count, UINT32_MAX);
    from.scaled(kConfidence, hop.confidence, 1e3);
    from.scaled(kForwardingLoss, hop.forwarding_loss_ratio, 1e6);
    std::optional<std::int64_t> limit;
    from.maybe(kLimit, limit, std::int64_t{1} << 52);
    if (limit) hop.limit_per_second = double(*limit) / 1e3;
}

void take_quotation(Reader& from, PathHop& hop)
{
    from.maybe(kReplyTtl, hop.reply_ttl, 255);
    from.maybe(kQuotedTtl, hop.quoted_ttl, 255);
    from.maybe(kDscp, hop.dscp, 63);
    from.maybe(kEcn, hop.ecn, 3);
    from.maybe(kMss, hop.mss, UINT16_MAX);
    from.address(kNatSource, hop.nat_source);
    from.address(kNatDestination, hop.nat_destination);
    from.number(kNatPorts, hop.nat_ports, 1);
    if (!read_mpls(from.text(kMpls), hop.mpls)) from.note(kMpls);
    if (!read_interfaces(from.text(kInterfaces), hop.interfaces)) from.note(kInterfaces);
}

Result<PathHop> take_hop(const ChildRows& table, std::size_t row)
{
    Reader from(table, row);
    PathHop hop;
    from.number(kPath, hop.path, UINT16_MAX);
    from.number(kTtl, hop.ttl, 255);
    from.address(kAddress, hop.address);
    hop.name = from.text(kName);
    if (hop.name.size() > kHopNameBytesMax) from.note(kName);
    from.number(kAnswer, hop.answer, std::int64_t(kHopAnswerNames.size()) - 1);
    from.number(kIcmpType, hop.icmp_type, 255);
    from.number(kIcmpCode, hop.icmp_code, 255);
    from.number(kVerdict, hop.verdict, std::int64_t(kHopVerdictNames.size()) - 1);
    from.maybe(kMtu, hop.mtu, UINT32_MAX);
    take_statistics(from, hop);
    take_quotation(from, hop);
    NW_CHECK(from.done());
    return hop;
}

}  // namespace

std::string encode_hops(const std::vector<PathHop>& hops)
{
    ChildRows table;
    for (const auto& hop : std::span(hops).first(std::min(hops.size(), kChildRowsMax))) put_hop(table, hop);
    return encode_child_rows(kHopColumns, table);
}

Result<std::vector<PathHop>> decode_hops(std::string_view bytes)
{
    NW_TRY(const auto table, decode_child_rows(kHopColumns, bytes));
    std::vector<PathHop> hops;
    hops.reserve(table.count);
    for (std::size_t row = 0; row < table.count; ++row) {
        NW_TRY(auto hop, take_hop(table, row));
        hops.push_back(std::move(hop));
    }
    return hops;
}

Result<std::vector<PathHop>> hops_of(const Rows& rows, std::size_t row)
{
    static const auto index = kinds::path.column_index("hops");
    return decode_hops(rows.columns[*index].bytes.at(row));
}

}  // namespace nw
