#include "api/path_view.hpp"

#include "api/probe_view.hpp"

#include <algorithm>
#include <cmath>

namespace nw::api {
namespace {

using topology::Hop;

std::optional<std::string> maybe_address(std::string_view bytes)
{
    if (bytes.empty()) return std::nullopt;
    return ip_text(bytes);
}

std::optional<double> maybe_us(std::int64_t value)
{
    if (value == kAbsent) return std::nullopt;
    return double(value);
}

template <class T>
std::optional<std::int64_t> widened(const std::optional<T>& value)
{
    if (!value) return std::nullopt;
    return std::int64_t{*value};
}

void write_delay(JsonWriter& json, const Hop& hop)
{
    json.key("rtt");
    if (hop.delay.count == 0) json.null();
    else
        json.object()
            .field("min_us", maybe_us(hop.delay.min_us))
            .field("mean_us", hop.delay.mean_us())
            .field("max_us", maybe_us(hop.delay.max_us))
            .field("deviation_us", hop.delay.deviation_us())
            .field("last_us", hop.last_us)
            .end_object();
    json.field("jitter_us", hop.delay.jitter_us()).key("recent_us").array();
    for (const auto& value : hop.recent_us) {
        if (value) json.number(*value);
        else json.null();
    }
    json.end_array();
}

void write_labels(JsonWriter& json, const PathHop& newest)
{
    json.key("mpls").array();
    for (const auto& entry : newest.mpls)
        json.object()
            .field("label", entry.label)
            .field("traffic_class", std::uint32_t{entry.traffic_class})
            .field("bottom", entry.bottom)
            .field("ttl", std::uint32_t{entry.ttl})
            .end_object();
    json.end_array().key("interfaces").array();
    for (const auto& interface : newest.interfaces)
        json.object()
            .field("role", std::uint32_t{interface.role})
            .field("index", widened(interface.index))
            .field("address", maybe_address(interface.address))
            .field("name", shown_name(interface.name))
            .field("mtu", widened(interface.mtu))
            .end_object();
    json.end_array();
}

void write_altered(JsonWriter& json, const PathHop& newest)
{
    json.key("altered").object().field("ttl", widened(newest.quoted_ttl)).field("dscp", widened(newest.dscp));
    json.field("ecn", widened(newest.ecn)).field("mss", widened(newest.mss)).key("nat");
    if (newest.nat_source.empty() && newest.nat_destination.empty() && !newest.nat_ports) json.null();
    else
        json.object()
            .field("source", maybe_address(newest.nat_source))
            .field("destination", maybe_address(newest.nat_destination))
            .field("ports", newest.nat_ports)
            .end_object();
    json.end_object();
}

void write_answer(JsonWriter& json, const Hop& hop)
{
    const auto& newest = hop.newest;
    json.field("answer", kHopAnswerNames[std::size_t(newest.answer)]).key("icmp");
    // TCP and UDP answers of a destination are no ICMP.
    if (newest.answer == HopAnswer::None || (newest.icmp_type == 0 && newest.icmp_code == 0 && !hop.last)) json.null();
    else
        json.object()
            .field("type", std::uint32_t{newest.icmp_type})
            .field("code", std::uint32_t{newest.icmp_code})
            .end_object();
}

void write_hop(JsonWriter& json, const Hop& hop, const quality::GradeThresholds& thresholds)
{
    const auto graded = grade_of(hop, thresholds);
    json.object()
        .field("id", hop_id(hop))
        .field("ttl", std::uint32_t{hop.ttl})
        .field("address", maybe_address(hop.address))
        .field("name", shown_name(hop.newest.name))
        .field("asn", widened(hop.asn))
        .field("last", hop.last);
    write_answer(json, hop);
    json.field("sent", hop.sent).field("received", hop.received).field("loss_ratio", hop.loss_ratio());
    write_delay(json, hop);
    json.field("verdict", name_of(hop.verdict))
        .field("confidence", hop.confidence)
        .field("forwarding_loss_ratio", hop.forwarding_loss_ratio)
        .field("limit_per_second", hop.verdict == HopVerdict::RateLimited ? hop.limit_per_second : std::nullopt)
        .field("grade", quality::name_of(graded.grade))
        .field("grade_reason", shown_reason(graded))
        .field("share", hop.share)
        .field("per_packet", hop.per_packet)
        .field("mtu", widened(hop.newest.mtu))
        .field("reply_ttl", widened(hop.newest.reply_ttl));
    write_labels(json, hop.newest);
    write_altered(json, hop.newest);
    json.end_object();
}

void write_links(JsonWriter& json, const topology::PathSet& set)
{
    json.key("links").array();
    for (const auto& link : set.links) {
        const bool agent = link.from == topology::Link::kAgent;
        const auto& to = set.hops[link.to];
        const auto near = agent ? std::optional(0.0) : set.hops[link.from].delay.mean_us();
        const auto far = to.delay.mean_us();
        json.object()
            .field("from", agent ? std::string("agent") : hop_id(set.hops[link.from]))
            .field("to", hop_id(to))
            .field("share", link.share)
            .field("delay_us", near && far ? std::optional(*far - *near) : std::nullopt)
            .end_object();
    }
    json.end_array();
}

void write_paths(JsonWriter& json, const topology::PathSet& set)
{
    json.key("paths").array();
    for (const auto& path : set.paths) {
        json.object().key("hops").array();
        for (const auto hop : path.hops) json.text(hop_id(set.hops[hop]));
        const auto lost = path.sent - path.received;
        json.end_array()
            .field("share", path.share)
            .field("sent", path.sent)
            .field("received", path.received)
            .field("loss_ratio", path.sent <= 0 ? 0.0 : double(lost) / double(path.sent))
            .field("rtt_mean_us", path.delay.mean_us())
            .field("reached", path.reached)
            .end_object();
    }
    json.end_array().field("paths_total", std::uint64_t{set.paths_total});
}

void write_change_hops(JsonWriter& json, const std::vector<store::PathChangeHop>& hops)
{
    json.array();
    for (const auto& hop : hops)
        json.object()
            .field("ttl", std::uint32_t{hop.ttl})
            .field("address", hop.address)
            .field("name", shown_name(hop.name))
            .key("asn")
            .null()
            .end_object();
    json.end_array();
}

}  // namespace

std::string hop_id(const Hop& hop)
{
    return std::to_string(hop.ttl) + ":" + (hop.address.empty() ? "*" : ip_text(hop.address));
}

quality::Graded grade_of(const Hop& hop, const quality::GradeThresholds& thresholds)
{
    if (hop.address.empty()) return {quality::Grade::Unknown, "no reply"};
    quality::PacketCounts counts{
        .what = "forwarding loss", .sent = hop.sent, .lost = std::llround(hop.forwarding_loss_ratio * double(hop.sent))};
    if (hop.newest.answer == HopAnswer::Arrived) {
        counts.what = "loss";
        counts.delays = std::uint64_t(hop.delay.count);
        counts.delay_us = hop.delay.mean_us();
        counts.jitter_us = hop.delay.jitter_us();
    }
    return quality::grade(counts, thresholds);
}

std::optional<std::string> shown_name(std::string_view name)
{
    if (name.empty()) return std::nullopt;
    std::string shown(name.substr(0, kHopNameBytesMax));
    for (auto& c : shown)
        if (c <= ' ' || c > '~') c = '?';
    return shown;
}

void write_path(JsonWriter& json, const PathSubject& subject, const PathSpan& span, const topology::PathSet& set,
                const quality::GradeThresholds& thresholds)
{
    const bool any = set.runs > 0;
    json.object()
        .field("at_us", span.at_us)
        .field("from_us", span.from_us)
        .field("until_us", span.until_us)
        .field("runs", std::uint64_t{set.runs})
        .field("first_run_us", any ? std::optional(set.first_us) : std::nullopt)
        .field("last_run_us", any ? std::optional(set.last_us) : std::nullopt)
        .key("agent")
        .object()
        .field("id", to_text(subject.agent))
        .field("name", subject.agent_name)
        .field("status", name_of(subject.agent_status))
        .end_object()
        .key("target")
        .object()
        .field("name", subject.target)
        .field("address", maybe_address(set.address))
        .end_object()
        .field("protocol", subject.protocol)
        .field("reached", set.reached)
        .field("mtu", widened(set.mtu))
        .key("black_hole");
    if (set.black_hole_ttl)
        json.object().field("after_ttl", std::uint32_t{*set.black_hole_ttl}).field("mtu", widened(set.mtu)).end_object();
    else json.null();
    json.key("hops").array();
    for (const auto& hop : set.hops) write_hop(json, hop, thresholds);
    json.end_array();
    write_links(json, set);
    write_paths(json, set);
    json.end_object();
}

void write_path_change(JsonWriter& json, const store::PathChange& change, std::string_view before, std::string_view after)
{
    json.object().field("at_us", change.at_us).field("confirmed_us", change.confirmed_us).key("added");
    write_change_hops(json, change.added);
    json.key("removed");
    write_change_hops(json, change.removed);
    json.key("before");
    if (before.empty()) json.null();
    else json.text(before);
    json.field("after", after)
        .field("hop_count_before", change.hops_before)
        .field("hop_count_after", change.hops_after)
        .end_object();
}

void write_path_change(JsonWriter& json, const store::PathChange& change)
{
    write_path_change(json, change, topology::digest(topology::decode_route(change.before)),
                      topology::digest(topology::decode_route(change.after)));
}

std::string summary_of(const store::PathChange& change)
{
    const auto hops = [](std::size_t count) { return std::to_string(count) + (count == 1 ? " hop" : " hops"); };
    const auto added = change.added.size(), removed = change.removed.size();
    if (added == 0 && removed == 0) {
        if (change.hops_before == change.hops_after) return "the order of hops changed";
        return hops(std::size_t(change.hops_before)) + " before, " + std::to_string(change.hops_after) + " now";
    }
    if (removed == 0) return hops(added) + " added";
    if (added == 0) return hops(removed) + " removed";
    return hops(added) + " added, " + std::to_string(removed) + " removed";
}

}  // namespace nw::api
