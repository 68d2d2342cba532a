#include "trace_output.hpp"

#include "base/csv.hpp"
#include "base/json_writer.hpp"
#include "packet/icmp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace nw::cli {
namespace {

using probe::path::HopRow;
using probe::path::ProbeState;
using probe::path::Settled;

constexpr std::size_t kSparkWidth = 24;
constexpr double kCertain = 0.9;

double us(Nanos time) { return double(time.count()) / 1e3; }
double ms(Nanos time) { return double(time.count()) / 1e6; }

std::string_view outcome_of(const Settled& probe)
{
    if (probe.state == ProbeState::Lost) return "lost";
    if (probe.state == ProbeState::Unsent) return name_of(probe.outcome);
    switch (probe.reply->answer) {
    case probe::path::Answer::Exceeded: return "exceeded";
    case probe::path::Answer::Arrived: return "arrived";
    case probe::path::Answer::TooBig: return "too_big";
    case probe::path::Answer::Unreachable: break;
    }
    return "unreachable";
}

// What became of the packet up to the hop, in words; empty when nothing did.
std::string altered_text(const HopRow& row)
{
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (!row.quoted) return text;
    if (row.altered.source) add("source " + to_text(*row.altered.source));
    if (row.altered.destination) add("destination " + to_text(*row.altered.destination));
    if (row.altered.ports) add("ports translated");
    if (row.altered.dscp) add("DSCP " + std::to_string(*row.altered.dscp));
    if (row.altered.ecn) add("ECN " + std::to_string(*row.altered.ecn));
    if (row.altered.mss) add("MSS " + std::to_string(*row.altered.mss));
    return text;
}

std::string remarks_of(const HopRow& row, packet::Family family)
{
    std::string text;
    const auto add = [&](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
    if (row.answer == probe::path::Answer::Unreachable || row.answer == probe::path::Answer::TooBig)
        add(packet::describe(family, row.type, row.code, row.mtu));
    for (const auto& label : row.mpls) add("MPLS " + std::to_string(label.label) + " TTL " + std::to_string(label.ttl));
    for (const auto& interface : row.interfaces)
        if (!interface.name.empty()) add("interface " + interface.name);
    if (row.per_packet) add("balanced per packet");
    if (const auto altered = altered_text(row); !altered.empty()) add("packet changed: " + altered);
    return text;
}

void altered_json(JsonWriter& json, const HopRow& row)
{
    json.key("altered").object().field("ttl", std::uint32_t{row.altered.ttl});
    if (row.altered.source) json.field("source", to_text(*row.altered.source));
    if (row.altered.destination) json.field("destination", to_text(*row.altered.destination));
    if (row.altered.ports) json.field("ports", true);
    if (row.altered.dscp) json.field("dscp", std::uint32_t{*row.altered.dscp});
    if (row.altered.ecn) json.field("ecn", std::uint32_t{*row.altered.ecn});
    if (row.altered.mss) json.field("mss", std::uint32_t{*row.altered.mss});
    json.end_object();
}

void extensions_json(JsonWriter& json, const HopRow& row)
{
    if (!row.mpls.empty()) {
        json.key("mpls").array();
        for (const auto& label : row.mpls)
            json.object()
                .field("label", label.label)
                .field("traffic_class", std::uint32_t{label.traffic_class})
                .field("bottom", label.bottom)
                .field("ttl", std::uint32_t{label.ttl})
                .end_object();
        json.end_array();
    }
    if (row.interfaces.empty()) return;
    constexpr std::array<std::string_view, 4> kRoles{"incoming", "sub_ip", "outgoing", "next_hop"};
    json.key("interfaces").array();
    for (const auto& interface : row.interfaces) {
        json.object().field("role", kRoles[std::size_t(interface.role)]);
        if (interface.index) json.field("index", *interface.index);
        if (interface.address) json.field("address", to_text(*interface.address));
        if (!interface.name.empty()) json.field("name", interface.name);
        if (interface.mtu) json.field("mtu", *interface.mtu);
        json.end_object();
    }
    json.end_array();
}

void row_json(JsonWriter& json, const HopRow& row, const std::string& host)
{
    json.object().field("ttl", std::uint32_t{row.ttl});
    if (row.address) json.field("address", to_text(*row.address));
    if (!host.empty()) json.field("host", host);
    json.field("sent", row.sent).field("answered", row.answered).field("unanswered_ratio", row.loss_ratio());
    json.field("verdict", name_of(row.verdict.verdict)).field("confidence", row.verdict.confidence);
    json.field("forwarding_loss_ratio", row.verdict.forwarding_loss_ratio);
    if (row.verdict.limit_per_second) json.field("limit_per_second", *row.verdict.limit_per_second);
    json.field("flows", row.flows).field("per_packet", row.per_packet).field("last", row.last);
    if (row.delay.count > 0) {
        json.field("rtt_last_us", us(row.delay.last)).field("rtt_mean_us", row.delay.mean_us());
        json.field("rtt_min_us", us(row.delay.best)).field("rtt_max_us", us(row.delay.worst));
        json.field("rtt_deviation_us", row.delay.deviation_us()).field("jitter_us", row.delay.jitter_us());
    }
    if (row.reply_ttl) json.field("ttl_reply", std::uint32_t{*row.reply_ttl});
    if (row.mtu != 0) json.field("mtu", row.mtu);
    if (row.answer == probe::path::Answer::Unreachable || row.answer == probe::path::Answer::TooBig)
        json.field("reason", packet::describe(row.address->family, row.type, row.code, row.mtu));
    if (row.quoted) altered_json(json, row);
    extensions_json(json, row);
    json.end_object();
}

void branches_json(JsonWriter& json, const probe::path::Exploration& found)
{
    const auto node = [](const probe::path::PathNode& n) { return n.address ? to_text(*n.address) : std::string("*"); };
    json.key("branches").object();
    json.field("alpha", found.alpha).field("complete", found.complete).field("covered", found.covered);
    json.field("probes", found.probes).key("links").array();
    for (const auto& link : found.links)
        json.object()
            .field("ttl", std::uint32_t{link.from.ttl})
            .field("from", node(link.from))
            .field("to", node(link.to))
            .end_object();
    json.end_array().end_object();
}

void mtu_json(JsonWriter& json, const probe::path::MtuFound& found)
{
    if (!found.mtu) return;
    json.key("path_mtu").object().field("mtu", std::uint32_t{*found.mtu});
    if (found.black_hole_after) json.field("black_hole_after_ttl", std::uint32_t{*found.black_hole_after});
    json.key("narrow").array();
    for (const auto& link : found.narrow)
        json.object().field("before", to_text(link.before)).field("mtu", std::uint32_t{link.mtu}).end_object();
    json.end_array().end_object();
}

std::string mtu_text(const probe::path::MtuFound& found)
{
    if (!found.mtu) return {};
    auto text = "  path MTU " + std::to_string(*found.mtu);
    for (const auto& link : found.narrow) text += ", " + std::to_string(link.mtu) + " behind " + to_text(link.before);
    if (found.black_hole_after) text += ", larger ones vanish behind hop " + std::to_string(*found.black_hole_after);
    return text;
}

std::string cut(std::string text, std::size_t width)
{
    if (text.size() > width) text.resize(width);
    return text;
}

}  // namespace

std::string sparkline(const std::vector<std::optional<Nanos>>& delays)
{
    static constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    auto low = Nanos::max(), high = Nanos::min();
    for (const auto& delay : delays) {
        if (!delay) continue;
        low = std::min(low, *delay);
        high = std::max(high, *delay);
    }
    // Differences below a tenth of a millisecond, or of the delay, are no picture.
    const auto range = std::max({double((high - low).count()), double(low.count()) / 10, 1e5});
    std::string line;
    for (const auto& delay : delays) {
        if (delay) line += kBars[std::min<std::size_t>(7, std::size_t(double((*delay - low).count()) / range * 8))];
        else line += 'x';
    }
    return line;
}

std::string verdict_text(const probe::path::Judgement& verdict)
{
    const auto loss = verdict.forwarding_loss_ratio * 100;
    const char* doubt = verdict.confidence < kCertain ? "?" : "";
    switch (verdict.verdict) {
    case HopVerdict::None: return "";
    case HopVerdict::Forwarding: return fmt::format("loss{}", doubt);
    case HopVerdict::RateLimited:
        return verdict.limit_per_second ? fmt::format("limited to {:.2g}/s{}", *verdict.limit_per_second, doubt)
                                        : fmt::format("limits answers{}", doubt);
    case HopVerdict::Silent: return "silent";
    case HopVerdict::Filtered: break;
    }
    return fmt::format("filtered{}", loss > 0 ? doubt : "?");
}

std::string TracePrinter::host_of(const packet::Address& address) const
{
    return names_ ? names_->name_of(address, device_) : std::string();
}

std::string TracePrinter::probe(const TraceTarget& target, const Settled& settled, WallTime sent) const
{
    if (format_ != Format::Ndjson || settled.purpose == probe::path::Purpose::Mtu) return {};
    JsonWriter json;
    json.object()
        .field("type", settled.purpose == probe::path::Purpose::Explore ? "exploring" : "reply")
        .field("target", target.name);
    json.field("cycle", settled.round).field("flow", std::uint32_t{settled.flow});
    json.field("ttl", std::uint32_t{settled.ttl}).field("sent_us", to_us(sent));
    if (settled.reply) {
        json.field("responder", to_text(settled.reply->responder)).field("rtt_us", us(settled.rtt));
        json.field("clock", kClockSourceNames[std::size_t(settled.clock)]);
    }
    json.field("outcome", outcome_of(settled));
    if (!settled.reason.empty()) json.field("reason", settled.reason);
    json.end_object();
    return std::move(json).str() + "\n";
}

void TracePrinter::row_text(std::string& out, const HopRow& row, const TraceView& view, std::size_t width,
                            bool same_hop) const
{
    auto it = std::back_inserter(out);
    std::string host = "???";
    if (row.address) {
        const auto name = host_of(*row.address);
        host = name.empty() ? to_text(*row.address) : name + " (" + to_text(*row.address) + ")";
    }
    const auto hop = same_hop ? std::string() : std::to_string(row.ttl);
    fmt::format_to(it, "{:>3}  {:<{}}  {:>6}  {:<18} {:>5}", hop, cut(host, width), width,
                   fmt::format("{:.1f} %", row.verdict.forwarding_loss_ratio * 100), verdict_text(row.verdict), row.sent);
    if (row.delay.count > 0)
        fmt::format_to(it, "  {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>7.3f} {:>7.3f}", ms(row.delay.last),
                       row.delay.mean_us() / 1e3, ms(row.delay.best), ms(row.delay.worst), row.delay.deviation_us() / 1e3,
                       row.delay.jitter_us() / 1e3);
    else fmt::format_to(it, "  {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}", "-", "-", "-", "-", "-", "-");
    out += "  " + sparkline(view.target.table.recent(row.ttl, kSparkWidth)) + "\n";
    const auto remarks = remarks_of(row, row.address ? row.address->family : packet::Family::V4);
    if (!remarks.empty()) out += "     " + remarks + "\n";
}

void TracePrinter::table_text(std::string& out, const TraceView& view, std::size_t columns) const
{
    const auto& target = view.target;
    out += target.name;
    if (target.address && to_text(*target.address) != target.name) out += " (" + to_text(*target.address) + ")";
    if (!target.problem.empty()) out += ": " + target.problem;
    if (target.branches && !target.branches->complete) out += "  (not all branches could be looked for)";
    if (target.mtu) out += mtu_text(*target.mtu);
    out += '\n';
    if (view.rows.empty()) return;
    std::size_t width = 15;
    for (const auto& row : view.rows) {
        if (!row.address) continue;
        const auto name = host_of(*row.address);
        width = std::max(width, to_text(*row.address).size() + (name.empty() ? 0 : name.size() + 3));
    }
    constexpr std::size_t kOthers = 5 + 2 + 6 + 2 + 18 + 6 + 53 + 2 + kSparkWidth;
    width = std::clamp<std::size_t>(width, 15, std::max<std::size_t>(15, columns > kOthers ? columns - kOthers : 15));
    fmt::format_to(std::back_inserter(out), "{:>3}  {:<{}}  {:>6}  {:<18} {:>5}  {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}\n",
                   "hop", "host", width, "loss", "verdict", "sent", "last ms", "mean", "best", "worst", "stdev", "jitter");
    std::uint8_t before = 0;
    for (const auto& row : view.rows) {
        row_text(out, row, view, width, row.ttl == before);
        before = row.ttl;
    }
}

std::string TracePrinter::screen(const std::vector<TraceView>& views, std::size_t columns) const
{
    std::string out;
    for (const auto& view : views) {
        if (&view != views.data()) out += '\n';
        table_text(out, view, columns);
    }
    return out;
}

void TracePrinter::target_json(std::string& out, const TraceView& view) const
{
    const auto& target = view.target;
    JsonWriter json;
    json.object();
    if (format_ == Format::Ndjson) json.field("type", "summary");
    json.field("target", target.name);
    if (target.address) json.field("address", to_text(*target.address));
    json.field("reached", target.table.reached()).field("late", target.late).field("duplicates", target.duplicates);
    if (!target.problem.empty()) json.field("reason", target.problem);
    if (target.branches) branches_json(json, *target.branches);
    if (target.mtu) mtu_json(json, *target.mtu);
    json.key("hops").array();
    for (const auto& row : view.rows) row_json(json, row, row.address ? host_of(*row.address) : std::string());
    json.end_array().end_object();
    out += json.str();
}

namespace {

std::string report_csv(const std::vector<TraceView>& views)
{
    CsvWriter csv;
    for (const auto* head :
         {"target", "ttl", "address", "sent", "answered", "verdict", "confidence", "forwarding_loss_ratio",
          "limit_per_second", "rtt_last_us", "rtt_mean_us", "rtt_min_us", "rtt_max_us", "rtt_deviation_us", "jitter_us"})
        csv.text(head);
    csv.end_row();
    const auto number = [](double value) { return fmt::format("{:.6g}", value); };
    for (const auto& view : views) {
        for (const auto& row : view.rows) {
            csv.text(view.target.name).number(row.ttl).text(row.address ? to_text(*row.address) : "");
            csv.number(std::int64_t(row.sent)).number(std::int64_t(row.answered)).text(name_of(row.verdict.verdict));
            csv.text(number(row.verdict.confidence)).text(number(row.verdict.forwarding_loss_ratio));
            csv.text(row.verdict.limit_per_second ? number(*row.verdict.limit_per_second) : "");
            const auto& delay = row.delay;
            for (const auto value :
                 {us(delay.last), delay.mean_us(), us(delay.best), us(delay.worst), delay.deviation_us(), delay.jitter_us()})
                csv.text(delay.count > 0 ? number(value) : "");
            csv.end_row();
        }
    }
    return std::move(csv).str();
}

}  // namespace

std::string TracePrinter::report(const std::vector<TraceView>& views) const
{
    if (format_ == Format::Text) return screen(views, 200);
    if (format_ == Format::Csv) return report_csv(views);
    std::string out;
    if (format_ == Format::Json) out += "{\"targets\":[";
    for (const auto& view : views) {
        if (format_ == Format::Json && &view != views.data()) out += ',';
        target_json(out, view);
        if (format_ == Format::Ndjson) out += '\n';
    }
    if (format_ == Format::Json) out += "]}\n";
    return out;
}

}  // namespace nw::cli
