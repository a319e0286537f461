import Testing

@testable import Offsite

/// Which options of rsync a destination's settings lead to.
@Suite struct TransferOptionsTests {
    private func options(
        target: SyncTarget = .ssh(user: nil, host: "nas", path: "/copy"), _ compression: ReceiverCompression = .fast,
        _ change: (inout DestinationSettings) -> Void = { _ in }
    ) -> TransferOptions {
        var settings = DestinationSettings(name: "nas", source: Array("/srv".utf8), target: target)
        change(&settings)
        return TransferOptions(settings: settings, compression: compression)
    }

    @Test func `permissions that are dropped are never set on what is there`() {
        let options = options { $0.permissions = .drop }
        #expect(options.attributes.contains("--no-perms") && options.attributes.contains("--chmod=ugo=rwX"))
        #expect(!options.attributes.contains { $0.contains("Du+rwx") })
    }

    @Test func `ACLs and extended attributes are carried and restored where configured`() {
        let with = options {
            $0.acls = true
            $0.xattrs = true
            $0.ownership = .fakeSuper
        }
        for list in [with.attributes, with.restored] { #expect(list.contains("--acls") && list.contains("--xattrs")) }
        for list in [options().attributes, options().restored] {
            #expect(!list.contains("--acls") && !list.contains("--xattrs"))
        }
    }

    @Test func `holes stay holes everywhere`() {
        #expect(options().content { false }.contains("--sparse") && options().restored.contains("--sparse"))
        #expect(options(target: .local(path: "/copy")).content { true } == ["--sparse"])
    }

    @Test(arguments: [
        (Compression.auto, ReceiverCompression.fast, false, true), (.auto, .fast, true, true),
        (.auto, .slow, false, false), (.auto, .slow, true, true), (.auto, .none, true, false),
        (.on, .slow, false, true), (.on, .none, true, false), (.off, .fast, true, false),
    ]) func `content is compressed where it costs little`(
        _ setting: Compression, _ receiver: ReceiverCompression, _ hasHoles: Bool, _ expected: Bool
    ) {
        let options = options(receiver) { $0.compress = setting }
        #expect(options.content { hasHoles }.contains("--compress") == expected)
    }

    @Test func `what rsync negotiated is understood`() {
        func compression(_ text: String) -> ReceiverCompression { ReceiverCompression(negotiated: Array(text.utf8)) }
        #expect(
            compression("Client negotiated checksum: xxh128\nClient negotiated compress: zstd (level 1)\n") == .fast)
        #expect(compression("Client compress: lz4 (level 1)\n") == .fast)
        #expect(compression("Client compress: zlib (level 1)\n") == .slow && compression("") == .slow)
        #expect(compression("Client negotiated compress: zlibx (level 1)\n") == .slow)
    }
}
