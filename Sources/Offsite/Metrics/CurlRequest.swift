/// One request, as curl(1) makes it: the URL and the body come through its standard input, so that no process list shows
/// them.
struct CurlRequest: Equatable, Sendable {
    /// Seconds, whole ones: curl reads fractions by the locale.
    struct Limits: Equatable, Sendable {
        var connecting = 4
        var answering = 8
        /// For what curl's own limits do not cover, such as a resolver that hangs.
        var overall = 10
    }

    let url: String
    /// What is sent with POST; nil: GET, and nothing is sent. `#` may begin it, but not the `@` that would name a file.
    var body: [UInt8]?
    var contentType = "text/plain"
    /// Further tries after what may pass, a second and more apart.
    var retries = 0
    var limits = Limits()

    var arguments: [[UInt8]] {
        var words = [
            // First, or ~/.curlrc is read.
            "-q", "--silent", "--show-error", "--globoff", "--proto", "=http,https",
            "--connect-timeout", String(limits.connecting), "--max-time", String(limits.answering),
            // What a server says beyond what is read of it: it is not waited for.
            "--max-filesize", "1048576",
            "--write-out", CurlAnswer.statusFormat, "--config", "-",
        ]
        if body != nil { words += ["--header", "Content-Type: " + contentType] }
        if retries > 0 { words += ["--retry", String(retries)] }
        return words.map { Array($0.utf8) }
    }

    /// For curl's standard input.
    var configuration: [UInt8] {
        Array("url = ".utf8) + Self.quoted(Array(url.utf8))
            + (body.map { Array("\ndata-binary = ".utf8) + Self.quoted($0) } ?? []) + Array("\n".utf8)
    }

    /// As a quoted string of curl(1)'s `--config`.
    private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): text += Array("\\n".utf8)
            case UInt8(ascii: "\r"): text += Array("\\r".utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            default: text.append(byte)
            }
        }
        return text + [UInt8(ascii: "\"")]
    }

    /// Says what curl's end means.
    ///
    /// - Parameter status: its exit status; 128 and the number of the signal that ended it.
    static func failure(status: Int32, _ answer: CurlAnswer, errors: [UInt8]) -> MetricsFailure? {
        let message = Array((answer.message + errors).prefix(CurlAnswer.limit))
        switch status {
        case 0: break
        case 129...: return .killed(signal: status - 128)
        default: return .unreachable(status: status, message: message)
        }
        // Looked at here and not by --fail, which takes a redirection for a success and drops what the server says.
        let status = answer.status ?? 0
        return 200..<300 ~= status ? nil : .refused(status: status, answer: message)
    }
}
