import Glibc
import LinuxKernel
import Synchronization

/// Threads that go on for ever below a directory, in a tree that stays small: they make
/// directories and files, write, rename both, put another directory where one was, and remove everything again.
final class Storm: Sendable {
    private let threads: [KernelThread]
    private let state: State

    private final class State: Sendable {
        let isStopped = Atomic(false)
        let rounds = Atomic(0)
        let failures = Mutex<[String]>([])
    }

    /// Rounds made so far, of some seventy operations each.
    var rounds: Int { state.rounds.load(ordering: .relaxed) }
    var errors: [String] { state.failures.withLock { $0 } }

    /// - Parameter pause: milliseconds between two rounds of a writer. Without one, the storm is as fast as it can be, and
    ///   may for ever make more events than a debug build can interpret on what it leaves of the processor.
    init(below root: Path, writers: Int, pause: Int = 0) {
        let state = State()
        self.state = state
        threads = (0..<writers).map { number in
            KernelThread(name: "storm-\(number)") {
                do {
                    let top = root / Path("storm-\(number)")
                    try Disk.makeDirectory(top)
                    var round = 0
                    while !state.isStopped.load(ordering: .relaxed) {
                        try Self.play(top, round)
                        if pause > 0 { KernelThread.sleep(milliseconds: Int64(pause)) }
                        round += 1
                        state.rounds.add(1, ordering: .relaxed)
                    }
                } catch {
                    state.failures.withLock { $0.append("\(error)") }
                }
            }
        }
    }

    /// One round of a writer.
    private static func play(_ top: Path, _ round: Int) throws {
        let first = top / Path("d\(round)")
        try Disk.makeDirectory(first)
        try Disk.makeDirectory(first / "e")
        try Disk.makeDirectory(first / "e/f")
        for directory in [first, first / "e/f"] {
            for number in 0..<10 { try Disk.write(directory / Path("\(number)")) }
            try Disk.rename(directory / "0", directory / "renamed")
        }
        // Another directory stands at its name, twice: what was in it has to be found out.
        let second = top / Path("moved-\(round)")
        for _ in 0..<2 {
            try Disk.rename(first, second)
            try Disk.makeDirectory(first)
            try Disk.write(first / "1")
            try Disk.exchange(first, second)
            try Disk.removeTree(second)
        }
        try Disk.append(first / "e/f/1", Array("more".utf8))
        try Disk.removeTree(first)
    }

    /// Ends it and waits for its threads.
    func stop() {
        state.isStopped.store(true, ordering: .releasing)
        for thread in threads { thread.join() }
    }

    deinit { state.isStopped.store(true, ordering: .releasing) }
}
