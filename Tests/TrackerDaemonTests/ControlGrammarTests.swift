import Testing

@testable import TrackerDaemon

private func parse(_ text: String) throws -> ControlRequest { try ControlRequest(parsing: Array(text.utf8)) }

@Suite struct ControlGrammarTests {
    @Test(
        arguments: [
            .settle, .status, .accept(path: Array("/srv/nfs/a-backup".utf8)), .accept(path: Array("/ ".utf8)),
            .accept(path: Array("/a\n\\\t\u{7F} ü".utf8)), .accept(path: [0x2F, 0xFF, 0xFE, 0x01]),
        ] as [ControlRequest])
    func packetsReadBack(request: ControlRequest) throws {
        let packet = request.packet
        #expect(!packet.contains { $0 < 0x20 || $0 == 0x7F })
        #expect(try ControlRequest(parsing: packet) == request)
        #expect(try ControlRequest(parsing: packet + [0x0A]) == request)
    }

    @Test func longestPathFits() throws {
        let request = ControlRequest.accept(path: [0x2F] + Array(repeating: 0x01, count: 4_095))
        #expect(try ControlRequest(parsing: request.packet) == request)
    }

    @Test(arguments: ["", "\n", "Settle", "settl", "settle2", "accept", " settle", "reset", "settle\n\n", "settle\0"])
    func unknownVerbs(text: String) {
        let expected: ControlRequest.Refusal = text == "accept" ? .badPath : .unknownVerb
        #expect(throws: expected) { try parse(text) }
    }

    @Test(arguments: ["settle ", "status now"])
    func unexpectedArguments(text: String) {
        #expect(throws: ControlRequest.Refusal.unexpectedArgument) { try parse(text) }
    }

    @Test(arguments: [
        "accept ", "accept relative", #"accept /a\"#, #"accept /a\01"#, #"accept /a\400"#, #"accept /a\018"#,
        #"accept /a\000"#, "accept /a\u{1}b", "accept /a\nb", "accept  /a",
    ])
    func badPaths(text: String) { #expect(throws: ControlRequest.Refusal.badPath) { try parse(text) } }

    @Test func tooLong() {
        #expect(throws: ControlRequest.Refusal.tooLong(20_000)) {
            try ControlRequest(parsing: Array(repeating: 0x61, count: 20_000))
        }
    }

    @Test(arguments: [.ok(""), .ok("2 roots\nin sync"), .error("permission denied")] as [ControlReply])
    func repliesReadBack(reply: ControlReply) { #expect(ControlReply(parsing: reply.packet) == reply) }

    @Test(arguments: ["", "okay", "error", "ack"])
    func malformedReplies(text: String) { #expect(ControlReply(parsing: Array(text.utf8)) == nil) }

    @Test func replyIsNeverCut() {
        #expect(
            ControlReply.ok(String(repeating: "x", count: ControlReply.limit - 3)).packet.count == ControlReply.limit)
        let long = ControlReply.ok(String(repeating: "x", count: ControlReply.limit - 2))
        #expect(
            ControlReply(parsing: long.packet) == .error("the answer has 65537 bytes; at most 65536 can be sent"))
    }

    /// Whatever the bytes: a request or a refusal, and a request says the same when it is written again.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func anyBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let verbs = ["settle", "status", "accept /", "accept /a\\012", ""].map { Array($0.utf8) }
        for _ in 0..<5_000 {
            var packet =
                verbs.randomElement(using: &generator)! + generator.bytes(Int.random(in: 0...6, using: &generator))
            if Bool.random(using: &generator), !packet.isEmpty {
                packet[Int.random(in: packet.indices, using: &generator)] = generator.bytes(1)[0]
            }
            guard let request = try? ControlRequest(parsing: packet) else { continue }
            #expect(try ControlRequest(parsing: request.packet) == request, "seed \(seed), packet \(packet)")
        }
    }
}
