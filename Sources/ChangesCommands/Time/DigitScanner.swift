/// Reads the pieces of ISO 8601 times from the front of a text. A piece that is not there consumes nothing.
struct DigitScanner {
    typealias TimeOfDay = (hour: Int, minute: Int, second: Int, nanosecond: Int)

    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    /// `2026-11-23`; whether the calendar has that day is not checked.
    mutating func readDate() -> CivilTime? {
        attempt { scanner in
            guard let year = scanner.readNumber(digits: 4), scanner.skip("-"),
                let month = scanner.readNumber(digits: 2), scanner.skip("-"),
                let day = scanner.readNumber(digits: 2)
            else { return nil }
            return CivilTime(year: year, month: month, day: day)
        }
    }

    /// `03:00`, `03:00:05`, `03:00:05.25`; up to nine decimals.
    mutating func readTimeOfDay() -> TimeOfDay? {
        attempt { scanner in
            guard let hour = scanner.readNumber(digits: 2), scanner.skip(":"),
                let minute = scanner.readNumber(digits: 2)
            else { return nil }
            guard scanner.skip(":") else { return (hour, minute, 0, 0) }
            guard let second = scanner.readNumber(digits: 2) else { return nil }
            guard scanner.skip(".") else { return (hour, minute, second, 0) }
            guard let nanosecond = scanner.readFraction() else { return nil }
            return (hour, minute, second, nanosecond)
        }
    }

    /// `z`, `+01:00`, `-0330`, `+01`: seconds ahead of UTC.
    mutating func readZone() -> Int? {
        if skip("z") { return 0 }
        return attempt { scanner in
            let sign = scanner.skip("+") ? 1 : scanner.skip("-") ? -1 : 0
            guard sign != 0, let hours = scanner.readNumber(digits: 2), hours <= 23 else { return nil }
            if scanner.isAtEnd { return sign * hours * 3_600 }
            _ = scanner.skip(":")
            guard let minutes = scanner.readNumber(digits: 2), minutes <= 59 else { return nil }
            return sign * (hours * 3_600 + minutes * 60)
        }
    }

    private mutating func readFraction() -> Int? {
        let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard (1...9).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return (0..<9).reduce(0) { value, position in
            let index = digits.startIndex + position
            return value * 10 + (index < digits.endIndex ? Int(digits[index] - UInt8(ascii: "0")) : 0)
        }
    }

    private mutating func readNumber(digits count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private mutating func attempt<Piece>(_ read: (inout DigitScanner) -> Piece?) -> Piece? {
        var copy = self
        guard let piece = read(&copy) else { return nil }
        self = copy
        return piece
    }
}
