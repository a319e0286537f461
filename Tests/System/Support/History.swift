import LinuxKernel

/// One line of `changes query --format json`.
struct HistoryRow: Sendable {
    let sequence: Int64
    let at: Timestamp
    let kind: String
    let path: Path
    let from: Path?
    var size: Int64 = 0
}

/// What `changes query` has shown so far, read on from the last sequence number.
final class History {
    let state: Path
    private(set) var rows: [HistoryRow] = []

    init(state: Path) { self.state = state }

    /// Asks for what is new.
    func refresh() throws {
        let last = rows.last?.sequence ?? 0
        let arguments = ["query", "--history", "--state", state.string, "--format", "json", "--since", "seq:\(last)"]
        let completed = try run([Tracker.binary] + arguments)
        guard completed.isSuccess else {
            throw CommandFailed(arguments: arguments, status: completed.status, errors: completed.errors)
        }
        for row in try Self.parse(completed.output) where row.sequence > last { rows.append(row) }
    }

    /// The rows of a whole output.
    static func parse(_ output: [UInt8]) throws -> [HistoryRow] {
        var reader = JSONLines(output)
        var rows: [HistoryRow] = []
        while let object = try reader.next() {
            guard case .number(let sequence) = object["seq"], case .string(let at) = object["at"],
                case .string(let kind) = object["kind"], case .string(let path) = object["path"],
                let moment = Timestamp(rfc3339: at)
            else { throw JSONLines.Malformed(line: "a row lacks seq, at, kind or path: \(object)") }
            var from: Path?
            if case .string(let bytes) = object["from"] { from = exact("from", in: object) ?? Path(bytes) }
            var size: Int64 = 0
            if case .number(let bytes) = object["size"] { size = bytes }
            rows.append(
                HistoryRow(
                    sequence: sequence, at: moment, kind: String(decoding: kind, as: UTF8.self),
                    path: exact("path", in: object) ?? Path(path),
                    from: from, size: size))
        }
        return rows
    }

    /// The bytes of a path that is not UTF-8, which JSON cannot hold: `<name>_b64`, in base 64 (RFC 4648).
    private static func exact(_ name: String, in object: [String: JSONLines.Value]) -> Path? {
        guard case .string(let text) = object[name + "_b64"] else { return nil }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { break }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return Path(bytes)
    }
}

extension Timestamp {
    /// Reads `2026-11-23T07:36:27.123456789Z`, or with an offset such as `+01:00`; nil if it is none (RFC 3339).
    init?(rfc3339 text: [UInt8]) {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= text.count else { return nil }
            var value: Int64 = 0
            for byte in text[range] {
                guard byte >= 0x30 && byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            var scale: Int64 = 100_000_000
            while index < text.count, text[index] >= 0x30, text[index] <= 0x39 {
                fraction += Int64(text[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
        }
        var offset: Int64 = 0
        guard index < text.count else { return nil }
        if text[index] != UInt8(ascii: "Z") {
            guard let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6) else {
                return nil
            }
            offset = (hours * 3_600 + minutes * 60) * (text[index] == UInt8(ascii: "-") ? -1 : 1)
        }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self.init(seconds: seconds, nanoseconds: fraction)
    }

    /// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
