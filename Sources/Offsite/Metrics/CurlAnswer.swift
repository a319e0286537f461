/// The beginning of what a server said through curl, and the HTTP status that ends it.
struct CurlAnswer {
    /// For `--write-out`: the status behind what the server said. 000: there was no answer.
    static let statusFormat = "\\n%{http_code}"
    /// Bytes.
    static let limit = 512
    /// A line feed and three digits.
    private static let statusLength = 4

    private var beginning: [UInt8] = []
    private var end: [UInt8] = []
    private var length = 0

    mutating func append(_ bytes: [UInt8]) {
        length += bytes.count
        beginning += bytes.prefix(Self.limit + Self.statusLength - beginning.count)
        end = Array((end + bytes).suffix(Self.statusLength))
    }

    /// nil when curl ended without one.
    var status: Int? {
        guard end.count == Self.statusLength, end[0] == UInt8(ascii: "\n") else { return nil }
        return Int(String(decoding: end.dropFirst(), as: UTF8.self))
    }

    /// At most the limit.
    var message: [UInt8] {
        Array(beginning.prefix(min(status == nil ? length : length - Self.statusLength, Self.limit)))
    }
}
