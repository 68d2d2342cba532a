// linkemu - a userspace link emulator (delay, jitter, loss, duplication,
// reordering, rate) between pairs of veth ends, for kernels without sch_netem.
//
//   linkemu CONFIG [--cpu N] [--fifo PRIO] [--spin US] [--stats FILE] [--log FILE] [--seed N]
//   linkemu --nooffload IF...        turn off checksum/segmentation offloads
//
// CONFIG lines:   pair IFA IFB [key=value ...]
//   a key applies to both directions; prefix it with "ab." or "ba." for one.
//   delay=MS  jitter=MS  dist=uniform|normal  order=0|1   loss=PCT
//   ge=P,R (Gilbert: P% good->bad, R% bad->good, all lost in bad)
//   dup=PCT   reorder=PCT (sent at once)   corrupt=PCT   rate=KBIT   limit=PKTS   name=TEXT
//
// SIGHUP reads CONFIG again and applies the new impairments; the pairs themselves cannot change.
//
// The arrival time of a packet is the kernel's own receive time stamp, so a
// late wake-up of this process does not lengthen the emulated delay; the last
// --spin microseconds before a departure are spent polling. The error of every
// departure (actual - due) is kept in a histogram, written to --stats on
// SIGUSR1 and on exit: that is the uncertainty of the emulated truth.
#include <algorithm>

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <memory>
#include <net/if.h>
#include <queue>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void die(const std::string& what)
{
    std::fprintf(stderr, "linkemu: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

int64_t now_ns()
{
    timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return int64_t(ts.tv_sec) * 1000000000 + ts.tv_nsec;
}

void relax()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

struct Rng {  // splitmix64
    uint64_t s;
    uint64_t next()
    {
        uint64_t z = (s += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    double unit() { return double(next() >> 11) * 0x1.0p-53; }
    double normal()
    {
        double u = unit(), v = unit();
        return std::sqrt(-2 * std::log(u + 1e-300)) * std::cos(6.283185307179586 * v);
    }
};

struct Impair {
    double delay_ms = 0, jitter_ms = 0, loss = 0, dup = 0, reorder = 0, corrupt = 0, ge_p = 0, ge_r = 0;
    bool normal = false, order = false;
    double rate_kbit = 0;
    unsigned limit = 1000;
};

struct Dir {  // one direction of a pair: written at port 'out'
    std::string name;
    Impair imp;
    int out = 0;  // index of the port
    Rng rng{1};
    bool bad = false;
    int64_t last_due = 0, line_free = 0;
    std::queue<int64_t> line;  // when each queued packet leaves the rate stage
    uint64_t rx = 0, tx = 0, lost = 0, dupd = 0, early = 0, spoilt = 0, tail = 0, txerr = 0;
    std::vector<uint32_t> hist = std::vector<uint32_t>(2001);  // microseconds late
};

struct Port {
    std::string ifname;
    int fd = -1;
    uint8_t* ring = nullptr;
    unsigned frames = 0, pos = 0;
    int dir = 0;
};

constexpr unsigned kFrame = 2048;

struct Event {
    int64_t due, arrived;
    uint64_t order;
    uint32_t buf, len;
    int dir;
    bool operator<(const Event& o) const { return due != o.due ? due > o.due : order > o.order; }
};

void open_port(Port& p, unsigned frames)
{
    p.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (p.fd < 0) die("socket");
    int v = TPACKET_V2, one = 1;
    if (setsockopt(p.fd, SOL_PACKET, PACKET_VERSION, &v, sizeof v)) die("PACKET_VERSION");
    setsockopt(p.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    setsockopt(p.fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    setsockopt(p.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    int big = 8 << 20;
    setsockopt(p.fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof big);
    tpacket_req req{};
    req.tp_block_size = 64 * kFrame;
    req.tp_frame_size = kFrame;
    req.tp_block_nr = frames / 64;
    req.tp_frame_nr = req.tp_block_nr * 64;
    p.frames = req.tp_frame_nr;
    if (setsockopt(p.fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req)) die("PACKET_RX_RING");
    void* m = mmap(nullptr, size_t(p.frames) * kFrame, PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0);
    if (m == MAP_FAILED) die("mmap ring");
    p.ring = static_cast<uint8_t*>(m);
    sockaddr_ll a{};
    a.sll_family = AF_PACKET;
    a.sll_protocol = htons(ETH_P_ALL);
    a.sll_ifindex = int(if_nametoindex(p.ifname.c_str()));
    if (!a.sll_ifindex) die("no interface " + p.ifname);
    if (bind(p.fd, reinterpret_cast<sockaddr*>(&a), sizeof a)) die("bind " + p.ifname);
}

void no_offload(const char* ifname)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (int cmd : {ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
        ethtool_value ev{uint32_t(cmd), 0};
        ifreq ifr{};
        std::snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", ifname);
        ifr.ifr_data = reinterpret_cast<char*>(&ev);
        if (ioctl(fd, SIOCETHTOOL, &ifr) && cmd == ETHTOOL_STXCSUM) die(std::string("nooffload ") + ifname);
    }
    close(fd);
}

void set_key(Impair& i, const std::string& k, const std::string& v, std::string& name)
{
    if (k == "delay") i.delay_ms = std::stod(v);
    else if (k == "jitter") i.jitter_ms = std::stod(v);
    else if (k == "dist") i.normal = v == "normal";
    else if (k == "order") i.order = v != "0";
    else if (k == "loss") i.loss = std::stod(v) / 100;
    else if (k == "dup") i.dup = std::stod(v) / 100;
    else if (k == "reorder") i.reorder = std::stod(v) / 100;
    else if (k == "corrupt") i.corrupt = std::stod(v) / 100;
    else if (k == "rate") i.rate_kbit = std::stod(v);
    else if (k == "limit") i.limit = unsigned(std::stoul(v));
    else if (k == "name") name = v;
    else if (k == "ge") {
        auto c = v.find(',');
        i.ge_p = std::stod(v.substr(0, c)) / 100;
        i.ge_r = std::stod(v.substr(c + 1)) / 100;
    } else {
        errno = EINVAL;
        die("key " + k);
    }
}

std::atomic<int> g_stop{0}, g_dump{0}, g_reload{0};
void on_sig(int s) { (s == SIGUSR1 ? g_dump : s == SIGHUP ? g_reload : g_stop) = 1; }

struct Options {
    std::string config, stats, log;
    int cpu = -1, fifo = 0;
    int64_t spin = 60000;
    uint64_t seed = 1;
    unsigned frames = 2048;
};

Options parse_options(int argc, char** argv)
{
    Options options;
    options.config = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        std::string o = argv[i], v = argv[i + 1];
        if (o == "--cpu") options.cpu = std::stoi(v);
        else if (o == "--fifo") options.fifo = std::stoi(v);
        else if (o == "--spin") options.spin = int64_t(std::stod(v) * 1000);
        else if (o == "--stats") options.stats = v;
        else if (o == "--log") options.log = v;
        else if (o == "--seed") options.seed = std::stoull(v);
        else if (o == "--frames") options.frames = unsigned(std::stoul(v));
        else {
            errno = EINVAL;
            die("option " + o);
        }
    }
    return options;
}

struct Pair {
    std::string a, b, name;
    Impair ab, ba;
};

std::vector<Pair> read_config(const std::string& path)
{
    std::ifstream cfg(path);
    if (!cfg) die(path);
    std::vector<Pair> pairs;
    std::string line;
    while (std::getline(cfg, line)) {
        std::istringstream ls(line);
        std::string word, kv;
        if (!(ls >> word) || word[0] == '#') continue;
        Pair pair;
        ls >> pair.a >> pair.b;
        pair.name = pair.a + "-" + pair.b;
        while (ls >> kv) {
            auto e = kv.find('=');
            std::string k = kv.substr(0, e), v = e == std::string::npos ? "" : kv.substr(e + 1);
            if (k.rfind("ab.", 0) == 0) set_key(pair.ab, k.substr(3), v, pair.name);
            else if (k.rfind("ba.", 0) == 0) set_key(pair.ba, k.substr(3), v, pair.name);
            else set_key(pair.ab, k, v, pair.name), set_key(pair.ba, k, v, pair.name);
        }
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

// Packet buffers of one size, taken and given back by number.
class Buffers {
public:
    uint32_t take()
    {
        if (free_.empty()) grow();
        const uint32_t b = free_.back();
        free_.pop_back();
        return b;
    }
    void give(uint32_t b) { free_.push_back(b); }
    uint8_t* at(uint32_t b) { return slabs_[b / kSlab].get() + size_t(b % kSlab) * kFrame; }

private:
    static constexpr uint32_t kSlab = 256;
    void grow()
    {
        const auto first = uint32_t(slabs_.size()) * kSlab;
        slabs_.push_back(std::make_unique<uint8_t[]>(size_t(kFrame) * kSlab));
        for (uint32_t i = 0; i < kSlab; i++) free_.push_back(first + i);
    }
    std::vector<std::unique_ptr<uint8_t[]>> slabs_;
    std::vector<uint32_t> free_;
};

class Emulator {
public:
    explicit Emulator(Options options) : options_(std::move(options)) {}

    void open();
    void run();

private:
    void add_pair(const Pair& pair);
    void be_punctual() const;
    void arrive(Dir& d, int index, const uint8_t* data, uint32_t len, int64_t t);
    void enqueue(Dir& d, int index, const uint8_t* data, uint32_t len, int64_t t, int64_t base);
    bool read_ports();
    bool send_due();
    void write_log(const Event& e, int64_t t);
    void handle_signals();
    void wait();
    void write_stats() const;

    Options options_;
    std::vector<Dir> dirs_;
    std::vector<Port> ports_;
    std::priority_queue<Event> heap_;
    Buffers buffers_;
    uint64_t order_ = 0;
    int epoll_ = -1;
    FILE* log_ = nullptr;
};

void Emulator::add_pair(const Pair& pair)
{
    const int pa = int(ports_.size()), pb = pa + 1;
    Dir ab, ba;
    ab.name = pair.name + ".ab";
    ab.imp = pair.ab;
    ab.out = pb;
    ab.rng.s = options_.seed * 1000003 + uint64_t(pa);
    ba.name = pair.name + ".ba";
    ba.imp = pair.ba;
    ba.out = pa;
    ba.rng.s = options_.seed * 1000003 + uint64_t(pb);
    Port a, b;
    a.ifname = pair.a;
    a.dir = int(dirs_.size());
    b.ifname = pair.b;
    b.dir = a.dir + 1;
    dirs_.push_back(std::move(ab));
    dirs_.push_back(std::move(ba));
    ports_.push_back(a);
    ports_.push_back(b);
}

void Emulator::open()
{
    for (const auto& pair : read_config(options_.config)) add_pair(pair);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (auto& p : ports_) {
        open_port(p, options_.frames);
        epoll_event ev{};
        ev.events = EPOLLIN;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, p.fd, &ev);
    }
    be_punctual();
    if (!options_.log.empty() && !(log_ = std::fopen(options_.log.c_str(), "w"))) die(options_.log);
}

void Emulator::be_punctual() const
{
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (options_.cpu >= 0) {
        cpu_set_t s;
        CPU_ZERO(&s);
        CPU_SET(options_.cpu, &s);
        sched_setaffinity(0, sizeof s, &s);
    }
    if (options_.fifo > 0) {
        sched_param sp{};
        sp.sched_priority = options_.fifo;
        if (sched_setscheduler(0, SCHED_FIFO, &sp)) std::perror("linkemu: SCHED_FIFO (continuing without)");
    }
    mlockall(MCL_CURRENT | MCL_FUTURE);
}

void Emulator::arrive(Dir& d, int index, const uint8_t* data, uint32_t len, int64_t t)
{
    d.rx++;
    const Impair& im = d.imp;
    if (im.ge_p > 0) {
        if (d.bad ? d.rng.unit() < im.ge_r : d.rng.unit() < im.ge_p) d.bad = !d.bad;
        if (d.bad) {
            d.lost++;
            return;
        }
    }
    if (im.loss > 0 && d.rng.unit() < im.loss) {
        d.lost++;
        return;
    }
    const bool twice = im.dup > 0 && d.rng.unit() < im.dup;
    int64_t base = t;
    if (im.rate_kbit > 0) {
        while (!d.line.empty() && d.line.front() <= t) d.line.pop();
        if (d.line.size() >= im.limit) {
            d.tail++;
            return;
        }
        base = std::max(t, d.line_free) + int64_t(double(len) * 8e6 / im.rate_kbit);
        d.line_free = base;
        d.line.push(base);
    }
    enqueue(d, index, data, len, t, base);
    if (twice) {
        d.dupd++;
        enqueue(d, index, data, len, t, base);
    }
}

void Emulator::enqueue(Dir& d, int index, const uint8_t* data, uint32_t len, int64_t t, int64_t base)
{
    const Impair& im = d.imp;
    int64_t due = base;
    if (im.reorder > 0 && d.rng.unit() < im.reorder) {
        d.early++;
    } else {
        double ms = im.delay_ms;
        if (im.jitter_ms > 0) ms += im.jitter_ms * (im.normal ? d.rng.normal() : 2 * d.rng.unit() - 1);
        due += int64_t(std::max(0.0, ms) * 1e6);
        if (im.order) due = std::max(due, d.last_due);
        d.last_due = due;
    }
    const uint32_t b = buffers_.take();
    std::memcpy(buffers_.at(b), data, len);
    // One bit of the last byte, far behind every header: the payload is altered, the checksum is not.
    if (im.corrupt > 0 && len > 60 && d.rng.unit() < im.corrupt) {
        buffers_.at(b)[len - 1] ^= 1;
        d.spoilt++;
    }
    heap_.push(Event{due, t, order_++, b, len, index});
}

bool Emulator::read_ports()
{
    bool any = false;
    for (auto& p : ports_) {
        for (;;) {
            auto* h = reinterpret_cast<tpacket2_hdr*>(p.ring + size_t(p.pos) * kFrame);
            if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
            any = true;
            const int64_t t = int64_t(h->tp_sec) * 1000000000 + h->tp_nsec;
            arrive(dirs_[size_t(p.dir)], p.dir, reinterpret_cast<uint8_t*>(h) + h->tp_mac, h->tp_snaplen, t);
            __atomic_store_n(&h->tp_status, uint32_t(TP_STATUS_KERNEL), __ATOMIC_RELEASE);
            p.pos = (p.pos + 1) % p.frames;
        }
    }
    return any;
}

bool Emulator::send_due()
{
    bool any = false;
    const int64_t now = now_ns();
    for (int burst = 0; !heap_.empty() && heap_.top().due <= now && burst < 64; burst++) {
        const Event e = heap_.top();
        heap_.pop();
        Dir& d = dirs_[size_t(e.dir)];
        const int64_t t = now_ns();
        d.hist[size_t(std::clamp<int64_t>((t - e.due) / 1000, 0, 2000))]++;
        if (send(ports_[size_t(d.out)].fd, buffers_.at(e.buf), e.len, MSG_DONTWAIT) < 0) d.txerr++;
        else d.tx++;
        if (log_) write_log(e, t);
        buffers_.give(e.buf);
        any = true;
    }
    return any;
}

void Emulator::write_log(const Event& e, int64_t t)
{
    const uint8_t* frame = buffers_.at(e.buf);
    const uint8_t* ip = frame + 14;
    const bool v4 = (ip[0] >> 4) == 4;
    const unsigned proto = v4 ? ip[9] : ip[6];
    const uint8_t* l4 = v4 ? ip + (ip[0] & 15) * 4 : ip + 40;
    const uint8_t* to = v4 ? ip + 16 : ip + 36;  // of an IPv6 address the last four bytes
    uint32_t useq = 0;                           // UDP: payload bytes 12..15, the sequence number of irtt
    if (proto == 17 && e.len >= uint32_t(l4 - frame) + 24) std::memcpy(&useq, l4 + 20, 4);
    std::fprintf(log_, "%d %lld %lld %u %u.%u.%u.%u %u %u %u %u", e.dir, static_cast<long long>(e.arrived),
                 static_cast<long long>(t), proto, to[0], to[1], to[2], to[3], l4[0], unsigned(l4[4] << 8 | l4[5]),
                 unsigned(l4[6] << 8 | l4[7]), useq);
    // An ICMP error: the same two fields of the packet that it quotes.
    const bool error = (proto == 1 && (l4[0] == 3 || l4[0] == 11)) || (proto == 58 && l4[0] >= 1 && l4[0] <= 4);
    const uint8_t* quoted = l4 + 8 + (v4 ? (l4[8] & 15) * 4 : 40);
    if (error && quoted + 8 <= frame + e.len)
        std::fprintf(log_, " %u %u", unsigned(quoted[4] << 8 | quoted[5]), unsigned(quoted[6] << 8 | quoted[7]));
    std::fputc('\n', log_);
}

void Emulator::handle_signals()
{
    if (g_dump.exchange(0)) {
        if (log_) std::fflush(log_);
        write_stats();  // last: who asked waits for this file
    }
    if (!g_reload.exchange(0)) return;
    const auto pairs = read_config(options_.config);
    for (const auto& pair : pairs) {
        for (size_t i = 0; i + 1 < ports_.size(); i += 2) {
            if (ports_[i].ifname != pair.a || ports_[i + 1].ifname != pair.b) continue;
            dirs_[i].imp = pair.ab;
            dirs_[i + 1].imp = pair.ba;
        }
    }
}

void Emulator::wait()
{
    const int64_t left = heap_.empty() ? 1000000000 : heap_.top().due - now_ns() - options_.spin;
    if (left <= 0) return relax();
    epoll_event evs[32];
    timespec to{time_t(left / 1000000000), long(left % 1000000000)};
    syscall(SYS_epoll_pwait2, epoll_, evs, 32, &to, nullptr, 0);
}

void Emulator::run()
{
    while (!g_stop) {
        const bool received = read_ports();
        const bool sent = send_due();
        handle_signals();
        if (!received && !sent) wait();
    }
    write_stats();
    if (log_) std::fclose(log_);
}

void Emulator::write_stats() const
{
    if (options_.stats.empty()) return;
    const std::string tmp = options_.stats + ".tmp";
    std::ofstream f(tmp);
    f << "{\"dirs\":[";
    for (size_t i = 0; i < dirs_.size(); i++) {
        const Dir& d = dirs_[i];
        uint64_t n = 0, c = 0;
        for (auto h : d.hist) n += h;
        int p50 = 0, p99 = 0, mx = 0;
        for (int k = 0; k <= 2000; k++) {
            if (!d.hist[size_t(k)]) continue;
            if (c * 2 <= n) p50 = k;
            if (c * 100 <= n * 99) p99 = k;
            c += d.hist[size_t(k)];
            mx = k;
        }
        f << (i ? ",\n" : "\n") << "{\"name\":\"" << d.name << "\",\"rx\":" << d.rx << ",\"tx\":" << d.tx
          << ",\"lost\":" << d.lost << ",\"dup\":" << d.dupd << ",\"early\":" << d.early << ",\"corrupted\":" << d.spoilt
          << ",\"tail\":" << d.tail << ",\"txerr\":" << d.txerr << ",\"late_us_p50\":" << p50 << ",\"late_us_p99\":" << p99
          << ",\"late_us_max\":" << mx << "}";
    }
    f << "\n]}\n";
    f.close();
    std::rename(tmp.c_str(), options_.stats.c_str());
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc > 2 && !std::strcmp(argv[1], "--nooffload")) {
        for (int i = 2; i < argc; i++) no_offload(argv[i]);
        return 0;
    }
    if (argc < 2) {
        std::fprintf(stderr, "usage: linkemu CONFIG [options] (see the head of linkemu.cpp)\n");
        return 2;
    }
    Emulator emulator(parse_options(argc, argv));
    emulator.open();
    struct sigaction sa{};
    sa.sa_handler = on_sig;
    for (int s : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) sigaction(s, &sa, nullptr);
    std::fprintf(stderr, "linkemu: links up\n");
    emulator.run();
    return 0;
}
