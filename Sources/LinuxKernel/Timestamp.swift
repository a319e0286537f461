import CLinux
import Glibc

/// A moment of the wall clock in nanoseconds since 1970-01-01T00:00:00Z, as the kernel stamps files.
///
/// Reaches from 1677 to 2262; what lies outside is held at the nearest end.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    @inlinable
    public init(seconds: Int64, nanoseconds: Int64) {
        let (scaled, scaledOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, sumOver) = scaled.addingReportingOverflow(nanoseconds)
        self.nanoseconds = scaledOver || sumOver ? (seconds < 0 ? .min : .max) : sum
    }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The moment so many nanoseconds later, or before for a negative number.
    @inlinable
    public func advanced(by nanoseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: Int64(clamping: Int128(self.nanoseconds) + Int128(nanoseconds)))
    }

    /// The wall clock now: `clock_gettime(CLOCK_REALTIME)`.
    public static var now: Timestamp {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        return Timestamp(seconds: Int64(value.tv_sec), nanoseconds: Int64(value.tv_nsec))
    }

    /// When the kernel was started, by the wall clock of now: `CLOCK_REALTIME` less `CLOCK_BOOTTIME`.
    public static var boot: Timestamp {
        var value = timespec()
        clock_gettime(CLOCK_BOOTTIME, &value)
        return Timestamp(nanoseconds: now.nanoseconds - Int64(value.tv_sec) * 1_000_000_000 - Int64(value.tv_nsec))
    }
}

/// A moment of the clock that never steps (`CLOCK_MONOTONIC`), in nanoseconds. For intervals, never for records.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static var now: MonotonicTime {
        var value = timespec()
        clock_gettime(CLOCK_MONOTONIC, &value)
        return MonotonicTime(nanoseconds: Int64(value.tv_sec) * 1_000_000_000 + Int64(value.tv_nsec))
    }

    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Int64 { left.nanoseconds - right.nanoseconds }

    @inlinable
    public func advanced(milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds + milliseconds * 1_000_000)
    }
}
