/// A real Prometheus that scrapes a real node_exporter, whose textfile collector reads one directory. Gone with the object.
final class Prometheus {
    private let scratch: Scratch
    private let exporter: Server
    private let server: Server

    /// Why there is none on this machine; nil where there is.
    static let obstacle = Programs.obstacle("prometheus", "prometheus-node-exporter", "curl", "perl")

    /// - Parameters:
    ///   - directory: where textfiles are.
    ///   - rules: a file of rules.
    /// - Throws: `ServerFailed`, with what was said.
    init(reading directory: Path, rules: String) throws {
        let scratch = try Scratch()
        let exporter = try Server("node_exporter", in: scratch.path) { port in
            [
                "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                "--collector.textfile.directory=\(directory)", "--web.listen-address=127.0.0.1:\(port)",
            ]
        }
        let configuration = """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: ["\(rules)"]
            scrape_configs:
            - job_name: node
              static_configs: [{targets: ["127.0.0.1:\(exporter.port)"]}]

            """
        try Disk.write(scratch.path / "prometheus.yml", Array(configuration.utf8))
        server = try Server("prometheus", in: scratch.path) { port in
            [
                "prometheus", "--config.file=\(scratch.path)/prometheus.yml",
                "--storage.tsdb.path=\(scratch.path)/data", "--web.listen-address=127.0.0.1:\(port)",
            ]
        }
        (self.scratch, self.exporter) = (scratch, exporter)
    }

    /// What its HTTP API answers.
    ///
    /// - Parameter words: further arguments of curl.
    func ask(_ path: String, _ words: String...) throws -> JSONValue {
        let answer = try run(
            ["curl", "-sS", "--max-time", "10"] + words + ["http://127.0.0.1:\(server.port)/api/v1/\(path)"])
        guard let value = JSONValue(answer.output) else {
            throw CommandFailed(arguments: [path], status: answer.status, errors: answer.errors + server.diagnosis)
        }
        return value
    }

    /// The series that an expression yields now; nil: it cannot be parsed or evaluated.
    func query(_ expression: String) throws -> [JSONValue]? {
        let answer = try ask("query", "--get", "--data-urlencode", "query=\(expression)")
        return answer["status"] == .string("success") ? answer["data"]?["result"]?.array : nil
    }
}
