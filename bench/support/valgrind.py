"""Reads what valgrind's callgrind and massif write, for bench/counts."""

import collections
import re

# It is called whenever the loop's clock ticks, work or not.
TICK = "signalbox::session::timer_wheel::advance("
# What the thread calls that looks after the memory of the process.
GUARD = ("signalbox::net::memory_guard::", "signalbox::net::memory_use::")
ALLOCATORS = ("malloc", "calloc", "realloc", "memalign", "aligned_alloc",
              "posix_memalign")
# They call each other.
INNER = (*ALLOCATORS, "_mid_memalign")
NEW = "operator new"
NUMBER = re.compile(r"\((\d+)\)(?: (.*))?$")
NODE = re.compile(r"( *)n(\d+): (\d+) (?:0x[0-9A-F]+: )?(.*?)"
                  r"(?: \((?:in [^()]*|[^()]*:\d+)\))?$")
# What makes names long and tells nothing.
LONG = (("std::__cxx11::basic_string<char, std::char_traits<char>, "
         "std::allocator<char> >", "string"),
        ("std::basic_string_view<char, std::char_traits<char> >",
         "string_view"),
        ("signalbox::", ""), ("(anonymous namespace)::", ""),
        ("[abi:cxx11]", ""))


def brief(name, most=120):
    for long, short in LONG:
        name = name.replace(long, short)
    return name if len(name) <= most else name[:most - 2] + ".."


class Dump:
    """What one thread did meanwhile, of a file that callgrind wrote."""

    def __init__(self, path):
        self.path = path
        self.own = collections.Counter()
        self.whole = collections.Counter()
        self.calls = collections.Counter()
        self.wanted = collections.Counter()
        self.allocations = 0
        names = {}

        def name(text):
            number, given = NUMBER.match(text).groups()
            return names.setdefault(number, given)

        at = called = count = None
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("fn="):
                    at = name(line[3:-1])
                elif line.startswith("cfn="):
                    called = name(line[4:-1])
                elif line.startswith("calls="):
                    count = int(line[6:].split()[0])
                elif at and line[0] in "+-*0123456789":
                    cost = int(line.split()[1])
                    if count is None:
                        self.own[at] += cost
                        continue
                    self.calls[called] += count
                    self.whole[called] += cost if called != at else 0
                    if called in ALLOCATORS and not at.startswith(INNER):
                        self.allocations += count
                    if (called in ALLOCATORS or called.startswith(NEW)) \
                            and not at.startswith((*INNER, NEW)):
                        self.wanted[at] += count
                    count = None
        self.instructions = sum(self.own.values())

    def add(self, other):
        """Adds what another thread did."""
        for mine, its in ((self.own, other.own), (self.whole, other.whole),
                          (self.calls, other.calls),
                          (self.wanted, other.wanted)):
            mine.update(its)
        self.allocations += other.allocations
        self.instructions += other.instructions

    def ticks(self):
        return sum(count for function, count in self.calls.items()
                   if function.startswith(TICK))

    def guards(self):
        return any(function.startswith(GUARD) for function in self.own)


class Work:
    """What one unit cost: of a delivery, an event or a connect."""

    def __init__(self, dump, units, unit):
        self.dump = dump
        self.units = units
        self.unit = unit
        self.per_tick = 0

    def figures(self):
        spent = self.dump.instructions - self.dump.ticks() * self.per_tick
        return {f"instructions/{self.unit}": spent / self.units,
                f"allocations/{self.unit}":
                    self.dump.allocations / self.units}

    def profile(self):
        """Returns tables of what it went to."""
        dump = self.dump
        all_ = dump.instructions

        def table(title, counts, most):
            out = [f"\n{title + '/' + self.unit:>24}       %      calls  "
                   "function"]
            for function, cost in counts.most_common(most):
                out.append(f"{cost / self.units:24.1f} {100 * cost / all_:7.2f}"
                           f" {dump.calls[function] / self.units:10.2f}  "
                           f"{brief(function)}")
            return out

        out = table("instructions", dump.own, 40)
        out += table("with callees", dump.whole, 60)
        out.append(f"\n{'allocations/' + self.unit:>24}  asked for by")
        out += [f"{count / self.units:24.2f}  {brief(function)}"
                for function, count in dump.wanted.most_common(30)]
        return "\n".join(out)


class Heap:
    """What one session more holds, of two snapshots by massif."""

    def __init__(self, before, after, sessions):
        self.before = before
        self.dump = after
        self.units = sessions
        self.unit = "session"

    @staticmethod
    def total(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # What malloc adds to each piece counts too.
        return sum(int(re.search(rf"^mem_heap_{x}=(\d+)$", text, re.M)[1])
                   for x in ("B", "extra_B"))

    @staticmethod
    def sites(path):
        """Returns bytes by the chain of functions that asked for them."""
        found = collections.Counter()
        chain = []
        with open(path, encoding="utf-8") as file:
            for line in file:
                node = NODE.match(line.rstrip("\n"))
                if not node:
                    continue
                depth = len(node[1])
                chain[depth:] = [node[4]]
                if node[2] == "0" and depth > 0:
                    found[" < ".join(brief(x, 80) for x in chain[1:4])] \
                        += int(node[3])
        return found

    def figures(self):
        grown = Heap.total(self.dump) - Heap.total(self.before)
        return {"heap bytes/session": grown / self.units}

    def profile(self):
        grown = Heap.sites(self.dump)
        grown.subtract(Heap.sites(self.before))
        return "\n".join(["   bytes/session  asked for by"]
                         + [f"{size / self.units:16.1f}  {who}"
                            for who, size in grown.most_common(40)
                            if size > 0])
