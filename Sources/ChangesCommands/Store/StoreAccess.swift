import ChangeStore
import LinuxKernel
import TrackerDaemon

/// The store, for reading.
///
/// - Parameter directory: the state directory, absolute.
/// - Throws: `CommandFailure`: `unavailable` when there is no store.
func openStore(in directory: [UInt8]) throws -> StoreReader {
    try openingStore(in: directory) { () throws(StoreError) in try StoreReader(stateDirectory: directory) }
}

/// Compares the index with the disk, after everything pending is processed.
///
/// While a tracker runs, changes go on between its last look and this one: what differs is looked at again, and only
/// what differs every time is reported.
///
/// - Parameters:
///   - report: is given each difference, as one line without its end.
///   - skip: is given what could not be compared, in the same way.
func verifyIndex(
    in directory: [UInt8], report: (_ difference: String) throws -> Void, skip: (_ directory: String) -> Void
) throws {
    var remaining: Set<IndexVerification.Difference>?
    var skipped: Set<IndexVerification.Difference> = []
    for _ in 0..<3 {
        let isTracked = try settle(in: directory)
        let found = try openingStore(in: directory) { () throws(StoreError) in
            try IndexVerification(stateDirectory: directory).run()
        }
        remaining = remaining.map { $0.intersection(found.differences) } ?? found.differences
        skipped = found.skipped
        if remaining?.isEmpty ?? true || !isTracked { break }
    }
    for directory in skipped.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
        skip("\(TerminalText.of(directory.path)): \(directory.text)")
    }
    for difference in (remaining ?? []).sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
        try report("\(TerminalText.of(difference.path)): \(difference.text)")
    }
}

/// Waits until the running tracker has everything in its store.
///
/// - Returns: false when none runs: the store is what the last one left.
private func settle(in directory: [UInt8]) throws -> Bool {
    do throws(ControlError) {
        _ = try settled(in: directory)
        return true
    } catch {
        if case .notRunning = error { return false }
        throw CommandFailure(.inputOutput, "\(error)")
    }
}

/// Waits until the running tracker has everything that happened before in its store.
///
/// - Returns: what is not, a line each: roots that are held or missing.
/// - Throws: `CommandFailure`: `unavailable` when no tracker runs, `temporary` when it cannot tell.
func settleTracker(in directory: [UInt8]) throws -> [String] {
    do throws(ControlError) {
        return try settled(in: directory)
    } catch {
        if case .notRunning = error { throw CommandFailure(.unavailable, "--settle: \(error)") }
        throw CommandFailure(.temporary, "--settle: \(error)")
    }
}

private func settled(in directory: [UInt8]) throws(ControlError) -> [String] {
    switch try SettleBarrier(stateDirectory: directory).wait() {
    case .ok(let text): return text.split(separator: "\n").map(String.init)
    case .error(let reason): throw .refused(reason)
    }
}

/// Releases a held root.
func acceptRoot(_ root: [UInt8], in directory: [UInt8]) throws {
    let reply: ControlReply
    do throws(ControlError) {
        reply = try ControlClient.request(.accept(path: root), stateDirectory: directory, timeout: .seconds(60))
    } catch {
        throw CommandFailure(.unavailable, "\(error)")
    }
    switch reply {
    case .ok(let text):
        var output = Output()
        try output.append(text + "\n")
        try output.flush()
    case .error(let reason): throw CommandFailure(.failure, reason)
    }
}

private func openingStore<Opened>(
    in directory: [UInt8], _ body: () throws(StoreError) -> Opened
) throws -> Opened {
    do throws(StoreError) {
        return try body()
    } catch {
        throw failure(of: error, in: directory)
    }
}

/// The failure for a state directory without a store: where one was looked for, and how to get one.
func noStore(in directory: [UInt8]) -> CommandFailure {
    let name = TerminalText.of(directory)
    return CommandFailure(
        .unavailable,
        """
        no store in \(name): the tracker has not run yet
        the tracker makes it: start nfs-change-tracker.service (systemctl start nfs-change-tracker), or run \
        `changes track --state \(name)`; a store somewhere else is named with --state
        """)
}
