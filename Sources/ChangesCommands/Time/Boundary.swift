import LinuxKernel

/// Where a stretch of the history begins or ends.
enum Boundary: Equatable, Sendable {
    /// As a beginning: rows with a greater sequence number. As an end: rows up to it.
    case sequence(Int64)
    /// As a beginning: rows of that moment and later. As an end: rows before it.
    case moment(Timestamp)
}
