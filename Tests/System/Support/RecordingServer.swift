/// A real HTTP server that writes down what it is asked for. Gone with the object.
final class RecordingServer {
    struct Request: Equatable {
        let method: String
        /// With its query.
        let path: String
        let body: String
    }
    let server: Server
    private let scratch: Scratch

    static let obstacle = Programs.obstacle("python3", "curl", "perl")

    /// - Parameter status: what it answers; 0: nothing, for ever.
    init(status: Int = 200) throws {
        let scratch = try Scratch()
        let program = scratch.path / "server.py"
        let script = """
            import http.server, json, sys, time
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                    with open("\(scratch.path)/requests", "a") as log:
                        log.write(json.dumps([self.command, self.path, body]) + "\\n")
                    if \(status) == 0: time.sleep(600)
                    self.send_response(\(status))
                    self.end_headers()
                    self.wfile.write(b"OK")
                do_POST = do_GET
                def log_message(self, *words): pass
            http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

            """
        try Disk.write(program, Array(script.utf8))
        server = try Server("recorder", in: scratch.path) { port in ["python3", program.string, "\(port)"] }
        self.scratch = scratch
    }

    var url: String { "http://127.0.0.1:\(server.port)" }

    /// All so far.
    var requests: [Request] {
        guard let text = try? Disk.read(scratch.path / "requests") else { return [] }
        return text.split(separator: 0x0A).compactMap { line in
            guard let fields = JSONValue(Array(line))?.array.compactMap(\.text), fields.count == 3 else { return nil }
            return Request(method: fields[0], path: fields[1], body: fields[2])
        }
    }
}
