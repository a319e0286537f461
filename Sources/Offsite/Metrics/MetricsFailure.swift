import LinuxKernel
public import SystemPackage

/// Why figures did not get where they belong. Reason for a line in the journal, never for a sync to fail.
public enum MetricsFailure: Error, Equatable, Sendable {
    /// A file of the textfile collector could not be written.
    case textfile(path: [UInt8], Errno)
    /// curl could not be run; `ENOENT`: there is none.
    case curl(Errno)
    /// curl got no answer: its exit status (curl(1)) and what it said, as it came.
    case unreachable(status: CInt, message: [UInt8])
    /// curl was ended by a signal that did not come from here.
    case killed(signal: CInt)
    /// The gateway answered something else than 2xx: the status and the beginning of its answer, as it came.
    case refused(status: Int, answer: [UInt8])
    /// The time was over, and curl was killed.
    case timedOut
    /// The caller's signal came, and curl was killed.
    case interrupted
}

extension MetricsFailure: CustomStringConvertible {
    /// One line of printable ASCII, whatever the gateway sent.
    public var description: String { text("metrics not pushed", server: "the gateway", key: "pushgateway") }

    /// The same of something else that was to be sent.
    ///
    /// - Parameter key: what the configuration calls the URL.
    public func text(_ what: String, server: String, key: String) -> String {
        switch self {
        case .textfile(let path, let error): "metrics not written to \(Self.printable(path)): \(error)"
        case .curl(.noSuchFileOrDirectory): "\(what): there is no curl; install it"
        case .curl(let error): "\(what): curl could not be run: \(error)"
        case .unreachable(let status, let message):
            "\(what): " + (message.isEmpty ? "curl ended with \(status)" : Self.printable(message))
        case .killed(let signal): "\(what): curl was ended by signal \(signal)"
        case .refused(let status, let answer):
            "\(what): \(server) answered \(status)"
                + (300..<400 ~= status ? ": set \(key) to the URL that this leads to" : "")
                + (answer.isEmpty ? "" : ": \(Self.printable(answer))")
        case .timedOut: "\(what): curl did not end in time"
        case .interrupted: "\(what): interrupted"
        }
    }

    /// Lines joined; what is not printable ASCII, and the backslash, as octal digits.
    private static func printable(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if !text.isEmpty { text += Array("; ".utf8) }
            for byte in line {
                if byte < 0x80 && !OctalEscapes.needsEscape(byte) {
                    text.append(byte)
                } else {
                    OctalEscapes.append(byte, to: &text)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
