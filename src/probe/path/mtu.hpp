// Finds the largest packet that a path takes in one piece, and where larger ones vanish without a word (RFC 1191,
// RFC 8201, RFC 2923 2.1). Pure: says what to send, one packet at a time, is told what came of it.
//
// 1. Packets of a size that must not be fragmented are sent to the destination. A router that refuses one says what its
//    next link takes; what it says is tried next. Where nobody says so, the size is halved in between.
// 2. A size has vanished when none of kTries packets was answered while most of as many small ones in between were: plain
//    loss takes both. Their order changes, so that a limiter's beat does not always hit the same. When neither is
//    answered, nothing is claimed.
// 3. Where packets vanish is looked for with the least size that does, sent to the routers on the way.
#pragma once

#include "packet/address.hpp"
#include "probe/path/reply.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace nw::probe::path {

struct MtuSettings {
    std::uint8_t end = 0;                   // where the destination is
    std::vector<std::uint8_t> answering{};  // hops before it that answer, ascending
    std::uint16_t size_min = 64;            // passes
    std::uint16_t size_max = 1500;
};

// Somebody who does not forward larger packets, and says so.
struct NarrowLink {
    packet::Address before{};
    std::uint16_t mtu = 0;
    friend bool operator==(const NarrowLink&, const NarrowLink&) = default;
};

struct MtuFound {
    std::optional<std::uint16_t> mtu{};              // absent: nothing could be found out
    std::vector<NarrowLink> narrow{};                // in the order of being met
    std::optional<std::uint8_t> black_hole_after{};  // the last hop that large packets reach; 0: not even the first
    std::uint16_t size_max = 0;                      // that was tried

    friend bool operator==(const MtuFound&, const MtuFound&) = default;
};

class MtuSearch {
public:
    explicit MtuSearch(MtuSettings settings);

    struct Probe {
        std::uint8_t ttl = 0;
        std::uint16_t size = 0;
        friend bool operator==(const Probe&, const Probe&) = default;
    };

    // What to send now; nothing while a packet is on its way, or when done.
    std::optional<Probe> next();
    void answered(const Reply& reply);
    void unanswered();
    // This host's own link does not take the packet.
    void refused_here();
    bool done() const { return done_; }
    const MtuFound& found() const { return found_; }

private:
    enum class Verdict : std::uint8_t { Passed, Narrow, Vanished, Unknown };

    bool is_large() const;
    void conclude(Verdict verdict, std::uint16_t told);
    void conclude_size(Verdict verdict, std::uint16_t told);
    void conclude_place(Verdict verdict);
    void try_size(std::uint16_t size);
    void place_next();

    MtuSettings settings_;
    MtuFound found_{};
    std::uint16_t low_;      // passes
    std::uint16_t high_;     // nothing above passes
    bool vanishes_ = false;  // what is just above high_ does so without a word
    std::uint16_t told_ = 0;
    // The present trial.
    std::uint8_t ttl_;
    std::uint16_t size_;
    std::size_t step_ = 0;
    std::size_t controls_ = 0;
    bool on_its_way_ = false;
    bool done_ = false;
    // While looking for the place: the hops that are left; the first ones pass, the last ones do not.
    bool placing_ = false;
    std::size_t passing_ = 0;
    std::size_t failing_ = 0;
};

}  // namespace nw::probe::path
