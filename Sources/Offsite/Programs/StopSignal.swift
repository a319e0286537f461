/// How a running program learns that it is to end.
public protocol StopSignal: AnyObject {
    /// Readable when there is something to take; -1 for none.
    var descriptor: Int32 { get }
    /// Takes what there is. True from the first request on.
    func isRequested() -> Bool
}

/// One that never comes.
public final class NoStopSignal: StopSignal {
    public let descriptor: Int32 = -1
    public init() {}
    public func isRequested() -> Bool { false }
}

/// Ends what takes too long, or whatever another signal ends.
final class Deadline: StopSignal {
    private let other: any StopSignal
    private let end: ContinuousClock.Instant

    init(seconds: Int, or other: any StopSignal = NoStopSignal()) {
        self.other = other
        end = .now + .seconds(seconds)
    }

    var descriptor: Int32 { other.descriptor }

    func isRequested() -> Bool { ContinuousClock.now > end || other.isRequested() }
}
