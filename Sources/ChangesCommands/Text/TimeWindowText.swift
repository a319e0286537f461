import Offsite

/// Parts of a day as people write them: `22:00-07:00`. Hours and minutes have two digits each.
enum TimeWindowText {
    /// What an error says was expected.
    static let expectation = #"a time window such as "22:00-07:00", from 00:00 to 23:59"#

    static func parse(_ text: String) -> TimeWindow? {
        let ends = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2, let start = minute(ends[0]), let end = minute(ends[1]) else { return nil }
        return TimeWindow(start: start, end: end)
    }

    static func format(_ window: TimeWindow) -> String { "\(clock(window.start))-\(clock(window.end))" }

    /// The minute of the day that `HH:MM` is.
    private static func minute(_ text: Substring.UTF8View.SubSequence) -> Int? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let hour = number(parts[0]), let minute = number(parts[1]), hour < 24, minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    /// The number that two digits are.
    private static func number(_ digits: Substring.UTF8View.SubSequence) -> Int? {
        guard digits.count == 2, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func clock(_ minute: Int) -> String { "\(twoDigits(minute / 60)):\(twoDigits(minute % 60))" }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
