import Changelog
import LinuxKernel
import Synchronization

/// A store in memory: rows are added by the test and read by the changelog's thread.
final class MemoryStore: Sendable {
    struct Row: Sendable {
        let sequence: Int64
        /// Nil for a row that makes no line.
        let path: [UInt8]?
        let demand: ChangelogDemand
    }
    struct Broken: Error {}

    private let rows = Mutex<[Row]>([])
    private let broken = Atomic<Bool>(false)
    private let hanging = Atomic<Bool>(false)

    /// Adds rows with the next numbers. Returns the last.
    @discardableResult
    func add(_ paths: [String?], _ demand: ChangelogDemand = .line) -> Int64 {
        rows.withLock { rows in
            for path in paths {
                let sequence = (rows.last?.sequence ?? 0) + 1
                rows.append(Row(sequence: sequence, path: path.map { Array($0.utf8) }, demand: demand))
            }
            return rows.last?.sequence ?? 0
        }
    }

    /// The store reads fail from now on, or no longer.
    func setBroken(_ isBroken: Bool) { broken.store(isBroken, ordering: .relaxed) }
    /// The store's disk hangs from now on, or no longer.
    func setHanging(_ isHanging: Bool) { hanging.store(isHanging, ordering: .relaxed) }

    var paths: [String] {
        rows.withLock { $0.compactMap { $0.path.map { String(decoding: $0, as: UTF8.self) } } }
    }

    struct Source: ChangelogSource {
        let store: MemoryStore

        mutating func count(after sequence: Int64) throws -> Int64 {
            if store.broken.load(ordering: .relaxed) { throw Broken() }
            return store.rows.withLock { rows in Int64(rows.count { $0.sequence > sequence }) }
        }

        mutating func lines(
            after sequence: Int64, limit: Int, _ body: (Int64, ChangelogDemand, UnsafeRawBufferPointer) -> Bool
        ) throws -> Int64? {
            if store.broken.load(ordering: .relaxed) { throw Broken() }
            if store.hanging.load(ordering: .relaxed) {
                let deadline = MonotonicTime.now.advanced(milliseconds: 10_000)
                let poll = try EventPoll()
                while store.hanging.load(ordering: .relaxed), .now < deadline { _ = try poll.wait(milliseconds: 1) }
            }
            return store.rows.withLock { rows in
                var last: Int64? = nil
                // Numbers are dense and start at 1.
                for row in rows.dropFirst(Int(sequence)).prefix(limit) {
                    last = row.sequence
                    guard let path = row.path else { continue }
                    if !path.withUnsafeBytes({ body(row.sequence, row.demand, $0) }) { break }
                }
                return last
            }
        }
    }
}

/// A writer over a `MemoryStore`, with the transitions that it reported.
final class WriterRig: Sendable {
    let store: MemoryStore
    let writer: ChangelogWriter
    private let log: Transitions

    private final class Transitions: Sendable {
        let all = Mutex<[ChangelogTransition]>([])
    }

    init(
        _ scratch: Scratch, path: String = "log", requireMount: String? = nil, state: String = "state",
        identity: String = "store-1", firstPosition: Int64 = 0, store: MemoryStore = MemoryStore()
    ) throws {
        if !scratch.exists(state) { scratch.makeDirectory(state) }
        self.store = store
        let log = Transitions()
        self.log = log
        let settings = ChangelogSettings(
            path: scratch.bytes(path), requireMount: requireMount.map(scratch.bytes),
            stateDirectory: scratch.bytes(state), store: identity, firstPosition: firstPosition,
            syncInterval: 50)
        writer = try ChangelogWriter(
            settings, source: { MemoryStore.Source(store: store) },
            onStateChange: { transition in log.all.withLock { $0.append(transition) } })
    }

    var transitions: [ChangelogTransition] { log.all.withLock { $0 } }

    func add(_ paths: [String?], _ demand: ChangelogDemand = .line, isGrowing: Bool = false) {
        writer.wake(through: store.add(paths, demand), isGrowing: isGrowing)
    }

    func stop(milliseconds: Int64 = 10_000) -> Bool {
        writer.drainAndStop(deadline: .now.advanced(milliseconds: milliseconds))
    }
}
