// Where the packets of one probe go: the address of its target, found anew when the name's answer has expired, and
// allowed by this agent's policy. Pure; the roster (probe/roster.hpp) asks the resolver.
#pragma once

#include "base/result.hpp"
#include "probe/network.hpp"
#include "probe/resolver.hpp"

#include <cstdint>
#include <optional>

namespace nw::probe {

class Policy;

class TargetAddress {
public:
    // Fails when the target is an address of the wrong family, or one that must not be measured.
    static Result<TargetAddress> of(Question question, const Policy& policy);

    const Question& question() const { return question_; }
    // A name that nothing is known of yet, or whose answer has expired, and that nobody is asking for.
    bool needs_answer(const Clock& clock) const { return is_name_ && !asking_ && clock.instant() >= valid_until_; }
    void asking() { asking_ = true; }
    // An address in use stays in use while the name still has it.
    void take(const Answer& answer, const Policy& policy);

    // The same for a probe that begins anew. `ask_again`: what is known of the name may have become wrong, though it is
    // used until there is an answer.
    TargetAddress again(bool ask_again) const;

    bool known() const { return address_.has_value(); }
    // Where packets go, or went until `problem` came up.
    const HostAddress& address() const { return *address_; }
    Destination destination() const { return {address_->address, address_->scope}; }
    // Why nothing may be sent.
    const std::optional<NotReady>& problem() const { return problem_; }
    // How long the last resolution took, for the first who asks.
    std::optional<Micros> take_resolve_time() { return std::exchange(resolve_time_, std::nullopt); }

private:
    Question question_{};
    bool is_name_ = false;
    bool asking_ = false;
    std::optional<HostAddress> address_{};
    Instant valid_until_{};
    std::optional<NotReady> problem_{};
    std::optional<Micros> resolve_time_{};
};

}  // namespace nw::probe
