// A small stand-in for libcublas on host memory: naive loops, column-major as the real one, strict.
// Status codes as the real ones': 0 good, 1 no handle, 7 a bad value, 15 not supported here.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace {
enum { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_64F = 1 };                                         // cudaDataType
enum { COMPUTE_32F = 68, COMPUTE_64F = 70, COMPUTE_32F_FAST_TF32 = 77 };  // cublasComputeType_t

struct Handle {
    void* stream;
    void* workspace;
    size_t bytes;
};

bool aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

float to_tf32(float x) {  // 10 bits of mantissa, rounded to nearest, ties away from zero
    uint32_t bits;
    memcpy(&bits, &x, 4);
    if ((bits >> 23 & 255) != 255) bits = (bits + 0x1000) & 0xFFFFE000u;
    memcpy(&x, &bits, 4);
    return x;
}

// C (m, n) = alpha op(A) (m, k) op(B) (k, n) + beta C. Sums are in double: nearer the truth than a GPU's.
template <class T>
void gemm(bool ta, bool tb, int m, int n, int k, T alpha, const T* a, int lda, const T* b, int ldb, T beta,
          T* c, int ldc, bool tf32) {
    auto rounded = [tf32](T x) -> double {
        if constexpr (std::is_same_v<T, float>) return tf32 ? to_tf32(x) : x;
        return x;
    };
    for (int j = 0; j < n; j++)
        for (int i = 0; i < m; i++) {
            double sum = 0;
            for (int l = 0; l < k; l++) {
                T x = ta ? a[l + size_t(i) * lda] : a[i + size_t(l) * lda];
                T y = tb ? b[j + size_t(l) * ldb] : b[l + size_t(j) * ldb];
                sum += rounded(x) * rounded(y);
            }
            T& out = c[i + size_t(j) * ldc];
            out = beta == 0 ? T(alpha * sum) : T(alpha * sum + double(beta) * out);  // 0: C may hold NaN
        }
}
}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int cublasCreate_v2(Handle** handle) {
    if (!handle) return INVALID_VALUE;
    *handle = new Handle();
    return SUCCESS;
}
EXPORT int cublasDestroy_v2(Handle* handle) {
    if (!handle) return NOT_INITIALIZED;
    delete handle;
    return SUCCESS;
}
EXPORT int cublasSetStream_v2(Handle* handle, void* stream) {
    if (!handle) return NOT_INITIALIZED;
    *handle = {stream, nullptr, 0};  // as documented: the workspace is the default one again
    return SUCCESS;
}
EXPORT int cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
    if (!handle) return NOT_INITIALIZED;
    if (!workspace || !bytes || !aligned(workspace, 256)) return INVALID_VALUE;
    handle->workspace = workspace, handle->bytes = bytes;
    return SUCCESS;
}
EXPORT int cublasGetVersion_v2(Handle* handle, int* version) {
    if (!handle) return NOT_INITIALIZED;
    if (!version) return INVALID_VALUE;
    *version = 120000;
    return SUCCESS;
}
EXPORT int cublasSetMathMode(Handle* handle, int) { return handle ? SUCCESS : NOT_INITIALIZED; }

#define GEMM_ARGUMENTS                                                                                    \
    Handle *handle, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int a_type,    \
        int lda, const void *b, int b_type, int ldb, const void *beta, void *c, int c_type, int ldc,      \
        int compute, int algo

// What cublasGemmEx would return, without doing it: for a capture. It asks for a stream and a workspace of
// one's own, without which a captured gemm would allocate.
EXPORT int fake_check_gemm(GEMM_ARGUMENTS) {
    (void)algo;
    if (!handle) return NOT_INITIALIZED;
    if (!handle->stream || !handle->workspace) return INVALID_VALUE;
    if (ta < 0 || ta > 2 || tb < 0 || tb > 2 || m < 0 || n < 0 || k < 0) return INVALID_VALUE;
    if (!alpha || !beta) return INVALID_VALUE;
    auto too_small = [](int ld, int rows) { return ld < (rows > 1 ? rows : 1); };
    if (too_small(lda, ta ? k : m) || too_small(ldb, tb ? n : k) || too_small(ldc, m)) return INVALID_VALUE;
    bool single = a_type == R_32F && (compute == COMPUTE_32F || compute == COMPUTE_32F_FAST_TF32);
    bool twice = a_type == R_64F && compute == COMPUTE_64F;
    if (a_type != b_type || a_type != c_type || !(single || twice)) return NOT_SUPPORTED;
    size_t size = single ? 4 : 8;
    if (m && n && (!c || !aligned(c, size))) return INVALID_VALUE;
    if (m && n && k && (!a || !b || !aligned(a, size) || !aligned(b, size))) return INVALID_VALUE;
    return SUCCESS;
}

EXPORT int cublasGemmEx(GEMM_ARGUMENTS) {
    int status = fake_check_gemm(handle, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c,
                                 c_type, ldc, compute, algo);
    if (status != SUCCESS) return status;
    auto run = [&](auto one) {
        using T = decltype(one);
        auto at = [](const void* p) { return static_cast<const T*>(p); };
        gemm<T>(ta, tb, m, n, k, *at(alpha), at(a), lda, at(b), ldb, *at(beta), static_cast<T*>(c), ldc,
                compute == COMPUTE_32F_FAST_TF32);
    };
    a_type == R_32F ? run(1.0f) : run(1.0);
    return SUCCESS;
}
