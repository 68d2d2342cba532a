// Identifiers as distinct types, so that an agent's id cannot be passed for a probe's.
//
// An id is 64 bits, 44 of them milliseconds since the epoch and 20 random, so that ids made later sort later;
// text form: a prefix that names the type and 13 characters of base 32 ("prb_01jz..."). Ids are opaque and
// not secret: access is decided elsewhere.
#pragma once

#include "base/random.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nw {

enum class AgentId : std::uint64_t {};
enum class ProbeId : std::uint64_t {};
enum class WorkspaceId : std::uint64_t {};
enum class UserId : std::uint64_t {};
enum class SessionId : std::uint64_t {};
enum class InviteId : std::uint64_t {};
enum class TargetId : std::uint64_t {};
enum class AuditId : std::uint64_t {};
enum class AnnotationId : std::uint64_t {};
enum class ActionId : std::uint64_t {};
// Made at random when an agent's spool is created; sequence numbers count within a stream.
enum class StreamId : std::uint64_t {};

template <class Id>
struct IdPrefix;
template <>
struct IdPrefix<AgentId> {
    static constexpr std::string_view text = "agt_";
};
template <>
struct IdPrefix<ProbeId> {
    static constexpr std::string_view text = "prb_";
};
template <>
struct IdPrefix<WorkspaceId> {
    static constexpr std::string_view text = "wsp_";
};
template <>
struct IdPrefix<UserId> {
    static constexpr std::string_view text = "usr_";
};
template <>
struct IdPrefix<SessionId> {
    static constexpr std::string_view text = "ses_";
};
template <>
struct IdPrefix<InviteId> {
    static constexpr std::string_view text = "inv_";
};
template <>
struct IdPrefix<TargetId> {
    static constexpr std::string_view text = "tgt_";
};
template <>
struct IdPrefix<AuditId> {
    static constexpr std::string_view text = "aud_";
};
template <>
struct IdPrefix<AnnotationId> {
    static constexpr std::string_view text = "ann_";
};
template <>
struct IdPrefix<ActionId> {
    static constexpr std::string_view text = "act_";
};

template <class Id>
std::string to_text(Id id)
{
    return std::string(IdPrefix<Id>::text) + to_base32(std::uint64_t(id));
}

template <class Id>
std::optional<Id> parse_id(std::string_view text)
{
    if (!text.starts_with(IdPrefix<Id>::text)) return std::nullopt;
    const auto value = from_base32(text.substr(IdPrefix<Id>::text.size()));
    if (!value) return std::nullopt;
    return Id(*value);
}

template <class Id>
Id make_id(Random& random, WallTime now)
{
    // 43 bits of milliseconds last until the year 2248 and keep the number positive in SQL.
    const auto ms = std::uint64_t(to_us(now) / 1000) & ((1ULL << 43) - 1);
    return Id(ms << 20 | random.below(1ULL << 20));
}

}  // namespace nw
