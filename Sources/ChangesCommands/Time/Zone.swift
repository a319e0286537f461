import LinuxKernel

/// A time zone: how far its clocks are ahead of UTC at each moment.
struct Zone: Sendable {
    /// Seconds ahead of UTC at a moment given in seconds since 1970-01-01T00:00:00Z.
    let secondsAheadOfUTC: @Sendable (_ seconds: Int64) -> Int

    /// The zone of this machine or of `$TZ`.
    static let local = Zone(secondsAheadOfUTC: LocalTime.secondsAheadOfUTC)
    static let utc = Zone.fixed(0)

    static func fixed(_ seconds: Int) -> Zone { Zone { _ in seconds } }

    /// What a clock in this zone shows at `moment`.
    func civilTime(at moment: Timestamp) -> CivilTime {
        let nanosecond = moment.nanoseconds.modulo(1_000_000_000)
        // Not (moment - nanosecond) / 10⁹, which would overflow at the early end.
        let seconds = moment.nanoseconds / 1_000_000_000 - (moment.nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
        return CivilTime(clockSeconds: seconds + Int64(secondsAheadOfUTC(seconds)), nanosecond: Int(nanosecond))
    }

    /// The first moment at which a clock in this zone shows `civil` or has gone past it.
    ///
    /// When clocks are set back, a time is shown twice: the first one counts. When they are set forward, a time
    /// may be left out: the moment of the change counts. So nothing that happened from that time on is missed.
    func firstMoment(showing civil: CivilTime) -> Timestamp {
        let clock = civil.clockSeconds
        // No zone is a day off UTC: these are the offsets before and after a change near that time, if there is one.
        let candidates = [clock - 86_400, clock + 86_400].map { clock - Int64(secondsAheadOfUTC($0)) }
        if let shown = candidates.filter({ $0 + Int64(secondsAheadOfUTC($0)) == clock }).min() {
            return Timestamp(seconds: shown, nanoseconds: Int64(civil.nanosecond))
        }
        // Left out: the change lies between the two readings, and from it on clocks are past the wanted time.
        var early = candidates.min()!
        var late = candidates.max()!
        while late - early > 1 {
            let middle = early + (late - early) / 2
            if middle + Int64(secondsAheadOfUTC(middle)) < clock { early = middle } else { late = middle }
        }
        return Timestamp(seconds: late, nanoseconds: 0)
    }
}
