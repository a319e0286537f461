/// The figures that rsync prints with `--stats`, in the plain form of `--no-human-readable`.
public struct RsyncStatistics: Equatable, Sendable {
    /// Bytes that went over the connection to the receiver.
    public var sent: Int64 = 0
    public var received: Int64 = 0
    /// Files whose content was transferred, wholly or in part.
    public var files: Int64 = 0
    /// Bytes of content as they are in these files.
    public var fileBytes: Int64 = 0
    public var deleted: Int64 = 0

    public init() {}

    /// Reads what rsync wrote; a line that is missing leaves 0. Numbers may have commas (rsync 3.1 on).
    public init(parsing output: [UInt8]) {
        for line in output.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { continue }
            let digits = text[text.index(after: colon)...].drop { $0 == " " }.prefix { $0 != " " && $0 != "(" }
            guard let number = Int64(digits.filter { $0 != "," }) else { continue }
            switch text[..<colon] {
            case "Total bytes sent": sent = number
            case "Total bytes received": received = number
            case "Number of regular files transferred", "Number of files transferred": files = number
            case "Total transferred file size": fileBytes = number
            case "Number of deleted files": deleted = number
            default: break
            }
        }
    }

    public static func + (left: RsyncStatistics, right: RsyncStatistics) -> RsyncStatistics {
        var sum = left
        sum.sent += right.sent
        sum.received += right.received
        sum.files += right.files
        sum.fileBytes += right.fileBytes
        sum.deleted += right.deleted
        return sum
    }
}
