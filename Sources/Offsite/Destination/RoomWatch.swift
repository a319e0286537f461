import LinuxKernel

/// Ends a transfer when less than `min_free` is left at the destination, which is asked every so often meanwhile.
final class RoomWatch: StopSignal {
    private let stop: any StopSignal
    private let ask: () -> FileSystemSpace?
    private let isTooLittle: (FileSystemSpace) -> Bool
    private var next: MonotonicTime
    /// As it was found last.
    private(set) var room: FileSystemSpace?
    /// It ended the transfer.
    private(set) var isFull = false

    /// Milliseconds between two questions. What arrives meanwhile is a part of `min_free`'s least.
    static let interval: Int64 = 10_000

    /// - Parameter ask: nil: nobody knows.
    init(
        _ stop: any StopSignal, every interval: Int64 = RoomWatch.interval, ask: @escaping () -> FileSystemSpace?,
        isTooLittle: @escaping (FileSystemSpace) -> Bool
    ) {
        self.stop = stop
        self.ask = ask
        self.isTooLittle = isTooLittle
        self.interval = interval
        next = MonotonicTime.now.advanced(milliseconds: interval)
    }

    private let interval: Int64

    var descriptor: Int32 { stop.descriptor }

    func isRequested() -> Bool {
        if stop.isRequested() || isFull { return true }
        guard MonotonicTime.now >= next else { return false }
        if let found = ask() {
            room = found
            isFull = isTooLittle(found)
        }
        next = MonotonicTime.now.advanced(milliseconds: interval)
        return isFull
    }
}

extension DestinationLink {
    /// Runs a transfer that ends when too little is left at the destination; what it has of a file is kept there.
    ///
    /// - Throws: `.destinationFull` when it did.
    func watchingRoom(_ transfer: () throws(SyncFailure) -> Outcome) throws(SyncFailure) -> Outcome {
        let own = process
        guard settings.watchesRoom else { return try transfer() }
        let watch = RoomWatch(own.stop, ask: { [self] in roomNow(own) }, isTooLittle: settings.isTooLittle)
        process = ProgramRun(stop: watch, heartbeat: own.heartbeat)
        defer { process = own }
        let outcome = try transfer()
        if watch.room != nil { room = watch.room }
        if watch.isFull, outcome.verdict == .interrupted {
            throw .destinationFull(target: targetText, available: watch.room?.available)
        }
        return outcome
    }

    /// How much room there is now; nil where nobody can be asked, or nobody answers.
    private func roomNow(_ own: ProgramRun) -> FileSystemSpace? {
        guard case .ssh(_, _, let path) = settings.target else { return roomHere }
        guard hasShell else { return nil }
        let watched = process
        process = ProgramRun(stop: Deadline(seconds: 30, or: own.stop), heartbeat: own.heartbeat)
        defer { process = watched }
        guard let result = try? shell("df -Pk \(path)"), result.status == 0 else { return nil }
        return Self.space(parsing: result.output)
    }
}
