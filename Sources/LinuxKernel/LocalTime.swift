import Glibc

/// The local time zone, as the C library knows it: `$TZ`, else `/etc/localtime`.
public enum LocalTime {
    /// localtime_r leaves $TZ unread where nothing in the process has called tzset(3); once is enough.
    private static let isPrepared: Bool = {
        tzset()
        return true
    }()

    /// How many seconds local time is ahead of UTC at a moment: localtime_r(3), `tm_gmtoff`.
    ///
    /// 0 (UTC) for a moment whose year the C library cannot express.
    ///
    /// - Parameter seconds: seconds since 1970-01-01T00:00:00Z.
    public static func secondsAheadOfUTC(at seconds: Int64) -> Int {
        var moment = time_t(seconds)
        var fields = tm()
        guard isPrepared, localtime_r(&moment, &fields) != nil else { return 0 }
        return fields.tm_gmtoff
    }
}
