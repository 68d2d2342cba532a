#include "probe/target_address.hpp"

#include "probe/policy.hpp"

#include <algorithm>

namespace nw::probe {

Result<TargetAddress> TargetAddress::of(Question question, const Policy& policy)
{
    TargetAddress target;
    const auto literal = literal_address(question.host);
    target.is_name_ = !literal;
    if (literal) {
        const bool v4 = literal->address.family == packet::Family::V4;
        if (question.family == (v4 ? FamilyWish::V6 : FamilyWish::V4))
            return fail_field("settings.family", "the target is an address of the other family");
        if (const auto objection = policy.objection(literal->address)) return fail(Errc::Denied, *objection);
        target.address_ = literal;
    }
    target.question_ = std::move(question);
    return target;
}

void TargetAddress::take(const Answer& answer, const Policy& policy)
{
    asking_ = false;
    valid_until_ = answer.valid_until;
    problem_.reset();
    if (!answer.cached) resolve_time_ = std::chrono::duration_cast<Micros>(answer.took);
    if (!answer.ok()) {
        problem_ = NotReady{Outcome::DnsError, "cannot resolve " + question_.host + ": " + answer.error};
        return;
    }
    const auto still = address_ && std::ranges::find(answer.addresses, *address_) != answer.addresses.end();
    const auto chosen = still ? *address_ : answer.addresses.front();
    if (auto objection = policy.objection(chosen.address)) problem_ = NotReady{Outcome::ConfigError, *std::move(objection)};
    else address_ = chosen;
}

TargetAddress TargetAddress::again(bool ask_again) const
{
    auto copy = *this;
    copy.asking_ = false;
    if (ask_again && is_name_) {
        copy.valid_until_ = {};
        copy.problem_.reset();
    }
    return copy;
}

}  // namespace nw::probe
