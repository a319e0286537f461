import LinuxKernel
import SystemPackage

/// Standard output, collected into writes of 64 KiB.
///
/// The owner calls `flush` at the end: what is buffered when an error ends the command is dropped with it.
struct Output: ~Copyable {
    /// Why output stopped.
    enum Failure: Error {
        /// The reader went away (EPIPE), as `head` does: nothing to complain about.
        case closed
        case failed(Errno)
    }

    private let descriptor: CInt
    private let capacity: Int
    private var buffer: [UInt8] = []

    /// - Parameters:
    ///   - descriptor: borrowed; stays open.
    ///   - capacity: bytes that are collected before they are written.
    init(descriptor: CInt = 1, capacity: Int = 65_536) {
        self.descriptor = descriptor
        self.capacity = capacity
    }

    /// Appends what `write` appends to the buffer it is given.
    mutating func append(_ write: (inout [UInt8]) -> Void) throws(Failure) {
        write(&buffer)
        if buffer.count >= capacity { try flush() }
    }

    mutating func append(_ text: String) throws(Failure) {
        try append { $0.append(contentsOf: text.utf8) }
    }

    /// Hands everything to the kernel.
    mutating func flush() throws(Failure) {
        let failure: Errno? = buffer.withUnsafeBytes { bytes in
            do throws(Errno) {
                try writeAll(bytes, to: descriptor)
                return nil
            } catch {
                return error
            }
        }
        buffer.removeAll(keepingCapacity: true)
        switch failure {
        case nil: return
        case .brokenPipe?: throw .closed
        case let code?: throw .failed(code)
        }
    }
}

extension Output {
    /// Writes all of `text` to standard output.
    static func write(_ text: String) throws(Failure) {
        var output = Output()
        try output.append(text)
        try output.flush()
    }

    /// Writes a message to standard error. Where even that fails there is nobody left to tell.
    static func complain(_ message: String) {
        var output = Output(descriptor: 2)
        try? output.append(message + "\n")
        try? output.flush()
    }
}
