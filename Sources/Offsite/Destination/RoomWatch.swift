import LinuxKernel

/// Ends a transfer when less than `min_free` is left at the destination, which is asked meanwhile: every ten seconds, and the
/// more often the nearer that is.
final class RoomWatch: StopSignal {
    private let stop: any StopSignal
    private let settings: DestinationSettings
    private let ask: () -> FileSystemSpace?
    private var next = MonotonicTime.now
    /// As it was found last.
    private(set) var room: FileSystemSpace?
    /// It ended the transfer.
    private(set) var isFull = false

    /// Milliseconds between two questions.
    static let interval: ClosedRange<Int64> = 200...10_000
    /// Bytes that may arrive in a millisecond.
    private static let speed: Int64 = 256 << 10

    /// - Parameters:
    ///   - room: as it was found before; nil: it is asked for at once.
    ///   - ask: nil: nobody knows.
    init(
        _ stop: any StopSignal, _ settings: DestinationSettings, room: FileSystemSpace?,
        ask: @escaping () -> FileSystemSpace?
    ) {
        self.stop = stop
        self.settings = settings
        self.ask = ask
        self.room = room
        if let room { next = next.advanced(milliseconds: pause(at: room)) }
    }

    var descriptor: Int32 { stop.descriptor }

    func isRequested() -> Bool {
        if stop.isRequested() || isFull { return true }
        guard MonotonicTime.now >= next else { return false }
        var pause = Self.interval.upperBound
        if let found = ask() {
            room = found
            isFull = settings.isTooLittle(found)
            pause = self.pause(at: found)
        }
        next = MonotonicTime.now.advanced(milliseconds: pause)
        return isFull
    }

    /// Milliseconds in which what is left cannot be used up.
    func pause(at room: FileSystemSpace) -> Int64 {
        let left = room.available - settings.leastFree(of: room.total)
        return min(max(left / Self.speed, Self.interval.lowerBound), Self.interval.upperBound)
    }
}

extension DestinationLink {
    /// Runs a transfer that ends when too little is left at the destination; what it has of a file is kept there.
    ///
    /// - Throws: `.destinationFull` when it did.
    func watchingRoom(_ transfer: () throws(SyncFailure) -> Outcome) throws(SyncFailure) -> Outcome {
        let own = process
        guard settings.watchesRoom else { return try transfer() }
        let watch = RoomWatch(own.stop, settings, room: room, ask: { [self] in roomNow(own) })
        process = ProgramRun(stop: watch, heartbeat: own.heartbeat, interval: Int32(RoomWatch.interval.lowerBound))
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
