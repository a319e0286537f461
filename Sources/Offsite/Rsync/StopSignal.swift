/// How a running transfer learns that it is to end.
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
