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
//   dup=PCT   reorder=PCT (sent at once)   rate=KBIT   limit=PKTS   name=TEXT
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

struct Rng { // splitmix64
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
    double delay_ms = 0, jitter_ms = 0, loss = 0, dup = 0, reorder = 0, ge_p = 0, ge_r = 0;
    bool normal = false, order = false;
    double rate_kbit = 0;
    unsigned limit = 1000;
};

struct Dir { // one direction of a pair: read at 'in', write at 'out'
    std::string name;
    Impair imp;
    int in = 0, out = 0;
    Rng rng{1};
    bool bad = false;
    int64_t last_due = 0, line_free = 0;
    std::queue<int64_t> line; // when each queued packet leaves the rate stage
    uint64_t rx = 0, tx = 0, lost = 0, dupd = 0, early = 0, tail = 0, txerr = 0;
    std::vector<uint32_t> hist = std::vector<uint32_t>(2001); // microseconds late
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
    for (int cmd :
         {ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
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
    if (k == "delay")
        i.delay_ms = std::stod(v);
    else if (k == "jitter")
        i.jitter_ms = std::stod(v);
    else if (k == "dist")
        i.normal = v == "normal";
    else if (k == "order")
        i.order = v != "0";
    else if (k == "loss")
        i.loss = std::stod(v) / 100;
    else if (k == "dup")
        i.dup = std::stod(v) / 100;
    else if (k == "reorder")
        i.reorder = std::stod(v) / 100;
    else if (k == "rate")
        i.rate_kbit = std::stod(v);
    else if (k == "limit")
        i.limit = unsigned(std::stoul(v));
    else if (k == "name")
        name = v;
    else if (k == "ge") {
        auto c = v.find(',');
        i.ge_p = std::stod(v.substr(0, c)) / 100;
        i.ge_r = std::stod(v.substr(c + 1)) / 100;
    } else {
        errno = EINVAL;
        die("key " + k);
    }
}

std::atomic<int> g_stop{0}, g_dump{0};
void on_sig(int s) { (s == SIGUSR1 ? g_dump : g_stop) = 1; }

std::vector<Dir> dirs;
std::vector<Port> ports;

void write_stats(const std::string& path)
{
    if (path.empty()) return;
    std::string tmp = path + ".tmp";
    std::ofstream f(tmp);
    f << "{\"dirs\":[";
    for (size_t i = 0; i < dirs.size(); i++) {
        Dir& d = dirs[i];
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
          << ",\"lost\":" << d.lost << ",\"dup\":" << d.dupd << ",\"early\":" << d.early
          << ",\"tail\":" << d.tail << ",\"txerr\":" << d.txerr << ",\"late_us_p50\":" << p50
          << ",\"late_us_p99\":" << p99 << ",\"late_us_max\":" << mx << "}";
    }
    f << "\n]}\n";
    f.close();
    std::rename(tmp.c_str(), path.c_str());
}

} // namespace

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
    std::string stats, logf;
    int cpu = -1, fifo = 0;
    int64_t spin = 60000;
    uint64_t seed = 1;
    unsigned frames = 2048;
    for (int i = 2; i + 1 < argc; i += 2) {
        std::string o = argv[i], v = argv[i + 1];
        if (o == "--cpu")
            cpu = std::stoi(v);
        else if (o == "--fifo")
            fifo = std::stoi(v);
        else if (o == "--spin")
            spin = int64_t(std::stod(v) * 1000);
        else if (o == "--stats")
            stats = v;
        else if (o == "--log")
            logf = v;
        else if (o == "--seed")
            seed = std::stoull(v);
        else if (o == "--frames")
            frames = unsigned(std::stoul(v));
    }
    std::ifstream cfg(argv[1]);
    if (!cfg) die(argv[1]);
    std::string line;
    while (std::getline(cfg, line)) {
        std::istringstream ls(line);
        std::string word, a, b, kv;
        if (!(ls >> word) || word[0] == '#') continue;
        ls >> a >> b;
        Dir ab, ba;
        std::string name = a + "-" + b;
        while (ls >> kv) {
            auto e = kv.find('=');
            std::string k = kv.substr(0, e), v = kv.substr(e + 1);
            if (k.rfind("ab.", 0) == 0)
                set_key(ab.imp, k.substr(3), v, name);
            else if (k.rfind("ba.", 0) == 0)
                set_key(ba.imp, k.substr(3), v, name);
            else
                set_key(ab.imp, k, v, name), set_key(ba.imp, k, v, name);
        }
        int pa = int(ports.size()), pb = pa + 1;
        ab.name = name + ".ab";
        ab.in = pa;
        ab.out = pb;
        ab.rng.s = seed * 1000003 + uint64_t(pa);
        ba.name = name + ".ba";
        ba.in = pb;
        ba.out = pa;
        ba.rng.s = seed * 1000003 + uint64_t(pb);
        Port A, B;
        A.ifname = a;
        A.dir = int(dirs.size());
        B.ifname = b;
        B.dir = A.dir + 1;
        dirs.push_back(std::move(ab));
        dirs.push_back(std::move(ba));
        ports.push_back(A);
        ports.push_back(B);
    }
    int ep = epoll_create1(EPOLL_CLOEXEC);
    for (auto& p : ports) {
        open_port(p, frames);
        epoll_event ev{};
        ev.events = EPOLLIN;
        epoll_ctl(ep, EPOLL_CTL_ADD, p.fd, &ev);
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (cpu >= 0) {
        cpu_set_t s;
        CPU_ZERO(&s);
        CPU_SET(cpu, &s);
        sched_setaffinity(0, sizeof s, &s);
    }
    if (fifo > 0) {
        sched_param sp{};
        sp.sched_priority = fifo;
        if (sched_setscheduler(0, SCHED_FIFO, &sp)) std::perror("linkemu: SCHED_FIFO (continuing without)");
    }
    mlockall(MCL_CURRENT | MCL_FUTURE);
    struct sigaction sa{};
    sa.sa_handler = on_sig;
    sigaction(SIGTERM, &sa, nullptr);
    sigaction(SIGINT, &sa, nullptr);
    sigaction(SIGUSR1, &sa, nullptr);
    FILE* lg = logf.empty() ? nullptr : std::fopen(logf.c_str(), "w");

    std::priority_queue<Event> heap;
    std::vector<uint8_t*> pool;
    std::vector<uint32_t> freelist;
    uint64_t order = 0;
    auto take = [&]() -> uint32_t {
        if (freelist.empty()) {
            auto* slab = static_cast<uint8_t*>(std::malloc(size_t(kFrame) * 256));
            for (unsigned i = 0; i < 256; i++) {
                freelist.push_back(uint32_t(pool.size()));
                pool.push_back(slab + size_t(i) * kFrame);
            }
        }
        uint32_t b = freelist.back();
        freelist.pop_back();
        return b;
    };
    std::fprintf(stderr, "linkemu: %zu links up\n", dirs.size() / 2);

    auto arrive = [&](Dir& d, int di, const uint8_t* data, uint32_t len, int64_t t) {
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
        int copies = 1;
        if (im.dup > 0 && d.rng.unit() < im.dup) copies = 2, d.dupd++;
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
        for (int c = 0; c < copies; c++) {
            int64_t due = base;
            if (im.reorder > 0 && d.rng.unit() < im.reorder) {
                d.early++;
            } else {
                double ms = im.delay_ms;
                if (im.jitter_ms > 0)
                    ms += im.normal ? im.jitter_ms * d.rng.normal() : im.jitter_ms * (2 * d.rng.unit() - 1);
                due += int64_t(std::max(0.0, ms) * 1e6);
                if (im.order) due = std::max(due, d.last_due);
                d.last_due = due;
            }
            uint32_t b = take();
            std::memcpy(pool[b], data, len);
            heap.push(Event{due, t, order++, b, len, di});
        }
    };

    while (!g_stop) {
        bool any = false;
        for (auto& p : ports) {
            for (;;) {
                auto* h = reinterpret_cast<tpacket2_hdr*>(p.ring + size_t(p.pos) * kFrame);
                if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
                any = true;
                int64_t t = int64_t(h->tp_sec) * 1000000000 + h->tp_nsec;
                arrive(dirs[size_t(p.dir)], p.dir, reinterpret_cast<uint8_t*>(h) + h->tp_mac, h->tp_snaplen,
                       t);
                __atomic_store_n(&h->tp_status, uint32_t(TP_STATUS_KERNEL), __ATOMIC_RELEASE);
                p.pos = (p.pos + 1) % p.frames;
            }
        }
        int64_t now = now_ns();
        int burst = 0;
        while (!heap.empty() && heap.top().due <= now && burst++ < 64) {
            Event e = heap.top();
            heap.pop();
            Dir& d = dirs[size_t(e.dir)];
            int64_t t = now_ns();
            d.hist[size_t(std::clamp<int64_t>((t - e.due) / 1000, 0, 2000))]++;
            if (send(ports[size_t(d.out)].fd, pool[e.buf], e.len, MSG_DONTWAIT) < 0)
                d.txerr++;
            else
                d.tx++;
            if (lg) {
                const uint8_t* ip = pool[e.buf] + 14;
                unsigned proto = (ip[0] >> 4) == 4 ? ip[9] : 0;
                const uint8_t* l4 = ip + (ip[0] & 15) * 4;
                uint32_t useq =
                    0; // UDP: payload bytes 12..15 (the sequence number of irtt and of stampfloor)
                if (proto == 17 && e.len >= uint32_t(l4 - pool[e.buf]) + 24) std::memcpy(&useq, l4 + 20, 4);
                std::fprintf(lg, "%d %lld %lld %u %u.%u.%u.%u %u %u %u %u\n", e.dir,
                             static_cast<long long>(e.arrived), static_cast<long long>(t), proto, ip[16],
                             ip[17], ip[18], ip[19], l4[0], unsigned(l4[4] << 8 | l4[5]),
                             unsigned(l4[6] << 8 | l4[7]), useq);
            }
            freelist.push_back(e.buf);
            any = true;
        }
        if (g_dump.exchange(0)) write_stats(stats);
        if (any) continue;
        int64_t wait = heap.empty() ? 1000000000 : heap.top().due - now_ns() - spin;
        if (wait <= 0) {
            relax();
            continue;
        }
        epoll_event evs[32];
        timespec to{time_t(wait / 1000000000), long(wait % 1000000000)};
        syscall(SYS_epoll_pwait2, ep, evs, 32, &to, nullptr, 0);
    }
    write_stats(stats);
    if (lg) std::fclose(lg);
    return 0;
}
