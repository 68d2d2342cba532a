#include "ping_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace nw::cli {
namespace {

using probe::ping::PacketReport;
using probe::ping::PacketState;

void append_json(std::string& out, std::string_view text)
{
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (std::uint8_t(c) < 0x20) fmt::format_to(std::back_inserter(out), "\\u{:04x}", std::uint8_t(c));
        else out += c;
    }
    out += '"';
}

std::string csv_field(std::string_view text)
{
    if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) (c == '"' ? quoted += '"' : quoted) += c;
    return quoted + "\"";
}

double us(std::int64_t ns) { return double(ns) / 1e3; }
double ms(std::int64_t ns) { return double(ns) / 1e6; }

std::string address_text(std::string_view bytes)
{
    const auto address = packet::address_from({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    return address ? to_text(*address) : std::string();
}

void packet_json(std::string& out, const TargetSummary& target, const PacketReport& packet)
{
    out += R"({"type":"packet","target":)";
    append_json(out, target.name);
    auto it = std::back_inserter(out);
    if (packet.state != PacketState::Unsent) fmt::format_to(it, R"(,"address":"{}")", to_text(packet.address));
    fmt::format_to(it, R"(,"seq":{},"sent_us":{})", packet.seq, to_us(packet.sent));
    if (packet.state == PacketState::Answered)
        fmt::format_to(it, R"(,"rtt_us":{:.3f},"outcome":"ok","clock":"{}")", us(packet.rtt.count()),
                       kClockSourceNames[std::size_t(packet.clock)]);
    else fmt::format_to(it, R"(,"outcome":"{}")", name_of(packet.outcome));
    if (packet.state == PacketState::Answered && packet.ttl) fmt::format_to(it, R"(,"ttl":{})", *packet.ttl);
    if (packet.state != PacketState::Answered && !packet.reason.empty()) {
        out += R"(,"reason":)";
        append_json(out, packet.reason);
    }
    out += "}\n";
}

void packet_text(std::string& out, const TargetSummary& target, const PacketReport& packet)
{
    auto it = std::back_inserter(out);
    if (packet.state == PacketState::Answered) {
        fmt::format_to(it, "{}: seq={} time={:.3f} ms", target.name, packet.seq, ms(packet.rtt.count()));
        if (packet.ttl) fmt::format_to(it, " ttl={}", *packet.ttl);
        if (packet.clock != ClockSource::Kernel) out += " (no kernel time stamp)";
    } else {
        fmt::format_to(it, "{}: seq={} {}", target.name, packet.seq, name_of(packet.outcome));
        if (!packet.reason.empty()) fmt::format_to(it, ": {}", packet.reason);
    }
    out += '\n';
}

void packet_csv(std::string& out, const TargetSummary& target, const PacketReport& packet)
{
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{},{},{}\n", csv_field(target.name),
                   packet.state == PacketState::Unsent ? "" : to_text(packet.address), packet.seq, to_us(packet.sent),
                   packet.state == PacketState::Answered ? fmt::format("{:.3f}", us(packet.rtt.count())) : "",
                   name_of(packet.outcome),
                   packet.state == PacketState::Answered && packet.ttl ? std::to_string(*packet.ttl) : "",
                   packet.state == PacketState::Answered ? "" : csv_field(packet.reason));
}

std::optional<double> loss_of(const TargetSummary& target)
{
    if (target.sent == 0) return std::nullopt;
    return double(target.sent - target.received) / double(target.sent);
}

void summary_json(std::string& out, const TargetSummary& target)
{
    out += R"({"type":"summary","target":)";
    append_json(out, target.name);
    auto it = std::back_inserter(out);
    if (!target.address.empty()) fmt::format_to(it, R"(,"address":"{}")", address_text(target.address));
    fmt::format_to(
        it, R"(,"sent":{},"received":{},"lost":{},"late":{},"duplicates":{},"reordered":{},"corrupted":{},"unsent":{})",
        target.sent, target.received, target.sent - target.received, target.late, target.duplicates, target.reordered,
        target.corrupted, target.unsent);
    if (const auto loss = loss_of(target)) fmt::format_to(it, R"(,"loss_ratio":{:.6f})", *loss);
    if (target.received > 0) {
        const auto quantile = [&](double q) {
            return us(std::clamp(target.rtt.quantile(q).count(), target.rtt_min_ns, target.rtt_max_ns));
        };
        fmt::format_to(it, R"(,"rtt_min_us":{:.3f},"rtt_mean_us":{:.3f},"rtt_max_us":{:.3f})", us(target.rtt_min_ns),
                       us(target.rtt_sum_ns) / double(target.received), us(target.rtt_max_ns));
        fmt::format_to(it, R"(,"rtt_p50_us":{:.1f},"rtt_p95_us":{:.1f},"rtt_p99_us":{:.1f})", quantile(0.5), quantile(0.95),
                       quantile(0.99));
    }
    if (target.ipdv_count > 0)
        fmt::format_to(it, R"(,"ipdv_mean_us":{:.1f})", double(target.ipdv_sum_us) / double(target.ipdv_count));
    if (!target.trouble.empty()) {
        fmt::format_to(it, R"(,"last_failure":"{}","reason":)", name_of(target.trouble_outcome));
        append_json(out, target.trouble);
    }
    out += '}';
}

void summary_csv(std::string& out, const TargetSummary& target)
{
    const bool any = target.received > 0;
    const auto value = [](bool present, double number) { return present ? fmt::format("{:.3f}", number) : std::string(); };
    fmt::format_to(
        std::back_inserter(out), "{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_field(target.name), target.sent,
        target.received, target.late, target.duplicates, target.reordered, target.corrupted,
        value(any, us(target.rtt_min_ns)), value(any, any ? us(target.rtt_sum_ns) / double(target.received) : 0),
        value(any, any ? us(target.rtt.quantile(0.95).count()) : 0), value(any, us(target.rtt_max_ns)),
        value(target.ipdv_count > 0, double(target.ipdv_sum_us) / double(std::max<std::int64_t>(target.ipdv_count, 1))));
}

void summary_text(std::string& out, const TargetSummary& target, std::size_t width)
{
    auto it = std::back_inserter(out);
    fmt::format_to(it, "{:<{}}  {:>6} {:>6}  {:>8}", target.name, width, target.sent, target.received,
                   loss_of(target) ? fmt::format("{:.2f} %", *loss_of(target) * 100) : "-");
    if (target.received > 0)
        fmt::format_to(it, "  {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f}", ms(target.rtt_min_ns),
                       ms(target.rtt_sum_ns) / double(target.received),
                       ms(std::clamp(target.rtt.quantile(0.95).count(), target.rtt_min_ns, target.rtt_max_ns)),
                       ms(target.rtt_max_ns),
                       target.ipdv_count > 0 ? double(target.ipdv_sum_us) / 1e3 / double(target.ipdv_count) : 0.0);
    else fmt::format_to(it, "  {:>9} {:>9} {:>9} {:>9} {:>9}", "-", "-", "-", "-", "-");
    for (const auto& [count, what] : {std::pair{target.late, "late"}, std::pair{target.duplicates, "duplicate"},
                                      std::pair{target.reordered, "reordered"}, std::pair{target.corrupted, "corrupted"}})
        if (count > 0) fmt::format_to(it, "  {} {}", count, what);
    if (!target.trouble.empty() && target.trouble_outcome != Outcome::Lost)
        fmt::format_to(it, "  {}: {}", name_of(target.trouble_outcome), target.trouble);
    out += '\n';
}

}  // namespace

void TargetSummary::add(const PacketReport& packet)
{
    if (packet.state == PacketState::Unsent) {
        ++unsent;
    } else {
        ++sent;
        address = packet.address.view();
    }
    if (packet.state != PacketState::Answered) {
        trouble = packet.reason.empty() ? "no reply" : packet.reason;
        trouble_outcome = packet.outcome;
        return;
    }
    const auto ns = packet.rtt.count();
    rtt_min_ns = received == 0 ? ns : std::min(rtt_min_ns, ns);
    rtt_max_ns = std::max(rtt_max_ns, ns);
    rtt_sum_ns += ns;
    rtt.add(packet.rtt);
    ++received;
}

void TargetSummary::add(const Sample& run)
{
    const auto number = [&](std::string_view column) {
        const auto value = run.numbers[*run.kind->column_index(column)];
        return value == kAbsent ? 0 : value;
    };
    late += std::uint64_t(number("late"));
    duplicates += std::uint64_t(number("duplicates"));
    reordered += std::uint64_t(number("reordered"));
    corrupted += std::uint64_t(number("corrupted"));
    ipdv_sum_us += number("ipdv_sum");
    ipdv_count += number("ipdv_count");
}

Printer::Printer(Format format, bool packets, std::FILE* out) : format_(format), packets_(packets), out_(out) {}

void Printer::header()
{
    started_ = true;
    if (format_ == Format::Csv && packets_) std::fputs("target,address,seq,sent_us,rtt_us,outcome,ttl,reason\n", out_);
}

void Printer::packet(const TargetSummary& target, const PacketReport& packet)
{
    if (!packets_ || format_ == Format::Json) return;
    if (!started_) header();
    line_.clear();
    if (format_ == Format::Ndjson) packet_json(line_, target, packet);
    else if (format_ == Format::Csv) packet_csv(line_, target, packet);
    else packet_text(line_, target, packet);
    std::fwrite(line_.data(), 1, line_.size(), out_);
}

void Printer::summaries(const std::vector<TargetSummary>& targets)
{
    std::string out;
    std::size_t width = 6;
    for (const auto& target : targets) width = std::max(width, target.name.size());
    if (format_ == Format::Csv && packets_) return;  // one table in a file
    if (format_ == Format::Csv)
        out += "target,sent,received,late,duplicates,reordered,corrupted,rtt_min_us,rtt_mean_us,rtt_p95_us,rtt_max_us,ipdv_"
               "mean_us\n";
    if (format_ == Format::Json) out += "{\"targets\":[";
    if (format_ == Format::Text)
        fmt::format_to(std::back_inserter(out), "\n{:<{}}  {:>6} {:>6}  {:>8}  {:>9} {:>9} {:>9} {:>9} {:>9}\n", "target",
                       width, "sent", "recv", "loss", "min ms", "mean ms", "p95 ms", "max ms", "jitter");
    for (const auto& target : targets) {
        if (format_ == Format::Json && &target != targets.data()) out += ',';
        if (format_ == Format::Csv) summary_csv(out, target);
        else if (format_ == Format::Text) summary_text(out, target, width);
        else summary_json(out, target);
        if (format_ == Format::Ndjson || format_ == Format::Json) out += '\n';
        std::fwrite(out.data(), 1, out.size(), out_);  // piece by piece: there may be many targets
        out.clear();
    }
    if (format_ == Format::Json) out += "]}\n";
    std::fwrite(out.data(), 1, out.size(), out_);
}

bool Printer::flush() { return std::fflush(out_) == 0 && std::ferror(out_) == 0; }

}  // namespace nw::cli
