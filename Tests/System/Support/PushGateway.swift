/// A real Prometheus Pushgateway, which forgets everything with its end. Gone with the object.
final class PushGateway {
    /// Stops, restarts, freezes and kills it.
    let server: Server
    private let scratch: Scratch

    /// - Throws: `ServerFailed`, with what it said.
    init() throws {
        scratch = try Scratch()
        server = try Server("pushgateway", in: scratch.path) { port in
            ["prometheus-pushgateway", "--web.listen-address=127.0.0.1:\(port)", "--persistence.file="]
        }
    }

    /// Why there is none on this machine; nil where there is.
    static let obstacle = Programs.obstacle("prometheus-pushgateway", "curl", "perl")

    /// What is configured as the gateway: `http://…`, without a slash at the end.
    var url: String { "http://127.0.0.1:\(server.port)" }
    var diagnosis: String { server.diagnosis }

    /// The lines of `/metrics`, comments and its own metrics included.
    ///
    /// - Throws: `CommandFailed` when it does not answer.
    func lines() throws -> [String] {
        let arguments = ["curl", "-fsS", "--max-time", "10", "\(url)/metrics"]
        let answer = try run(arguments)
        guard answer.isSuccess else {
            throw CommandFailed(arguments: arguments, status: answer.status, errors: answer.errors)
        }
        return String(decoding: answer.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The values of a metric by its labels, which are as the gateway writes them: `destination="a",job="b"`.
    func values(of metric: String) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for line in try lines() where line.hasPrefix(metric + "{") {
            guard let end = line.lastIndex(of: "}"), let value = Double(line[end...].dropFirst(2)) else { continue }
            values[String(line[..<end].dropFirst(metric.count + 1))] = value
        }
        return values
    }
}
