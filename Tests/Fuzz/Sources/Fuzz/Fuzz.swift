import CLibFuzzer
import Glibc

@main
enum Fuzz {
    static func main() {
        var arguments = CommandLine.unsafeArgv
        var count = CommandLine.argc
        let harness: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
        switch CommandLine.arguments.dropFirst().first {
        case "inotify": harness = { fuzzInotify(UnsafeRawBufferPointer(start: $0, count: $1)) }
        case "mountinfo": harness = { fuzzMountinfo(UnsafeRawBufferPointer(start: $0, count: $1)) }
        case "glob": harness = { fuzzGlob(UnsafeRawBufferPointer(start: $0, count: $1)) }
        case "exclude": harness = { fuzzExclude(UnsafeRawBufferPointer(start: $0, count: $1)) }
        default:
            print("usage: Fuzz inotify|mountinfo|glob|exclude [libFuzzer's options]")
            exit(64)
        }
        // libFuzzer wants its own name first, and then only what is its.
        arguments[1] = arguments[0]
        arguments += 1
        count -= 1
        var start: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
        exit(LLVMFuzzerRunDriver(&count, &start, harness))
    }
}
