/// A date and a time of day as a calendar and a clock show them, in no particular time zone (Gregorian calendar).
struct CivilTime: Equatable, Sendable {
    var year: Int
    /// 1...12
    var month: Int
    /// 1...31
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0

    static let secondsPerDay: Int64 = 86_400

    /// Whether the calendar has the day and the clock the time; leap seconds do not count.
    var isValid: Bool {
        (1...12).contains(month) && (1...Self.days(in: month, of: year)).contains(day) && (0...23).contains(hour)
            && (0...59).contains(minute) && (0...59).contains(second) && (0...999_999_999).contains(nanosecond)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CivilTime {
    /// Seconds from 1970-01-01T00:00:00 to this time on the same clock; the fraction is left out.
    var clockSeconds: Int64 {
        Self.dayNumber(year: Int64(year), month: Int64(month), day: Int64(day)) * Self.secondsPerDay
            + Int64(hour * 3_600 + minute * 60 + second)
    }

    init(clockSeconds: Int64, nanosecond: Int = 0) {
        let secondOfDay = clockSeconds.modulo(Self.secondsPerDay)
        self.init(dayNumber: (clockSeconds - secondOfDay) / Self.secondsPerDay)
        hour = Int(secondOfDay / 3_600)
        minute = Int(secondOfDay / 60 % 60)
        second = Int(secondOfDay % 60)
        self.nanosecond = nanosecond
    }

    /// The same time of day on another day.
    func advanced(days: Int) -> CivilTime {
        CivilTime(clockSeconds: clockSeconds + Int64(days) * Self.secondsPerDay, nanosecond: nanosecond)
    }

    // Both directions count days in eras of 400 years (146,097 days) whose years begin in March, so that the leap
    // day is the last of its year: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil
    // and civil_from_days. 719,468 days lie between 0000-03-01 and 1970-01-01.

    private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let yearOfEra = yearFromMarch.modulo(400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (yearFromMarch - yearOfEra) / 400 * 146_097 + dayOfEra - 719_468
    }

    private init(dayNumber: Int64) {
        let shifted = dayNumber + 719_468
        let dayOfEra = shifted.modulo(146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        year = Int(yearOfEra + (shifted - dayOfEra) / 146_097 * 400) + (month <= 2 ? 1 : 0)
    }
}

extension Int64 {
    /// The remainder that is never negative.
    func modulo(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
